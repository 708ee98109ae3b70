"""Live pictures: frames travel only while somebody looks."""

from processing.wire.browser import PictureHeader, picture_frame
from processing.wire.limits import HEARTBEAT_S
from processing.wire.messages import LiveDemand, LivePicture, LiveView
from processing.wire.packed import RECORD, BadDetections, check
from webapp.common.broadcast import Broadcast, Topic
from webapp.gateway.connection import Connection, Connections
from webapp.gateway.refusal import Refusal

EXPIRES_S = 1.5 * HEARTBEAT_S
"""A demand lapses by itself; it is renewed three times in this time."""


class Live:
    """Asks agents for what is looked at, and passes on what they send."""

    def __init__(self, connections: Connections, broadcast: Broadcast) -> None:
        self._connections = connections
        self._broadcast = broadcast

    def audience_changed(self, topic: Topic) -> None:
        """Tell the agent of a camera that somebody looks, or that nobody does any more."""
        kind, camera_id = topic
        if kind == "camera" and (connection := self._connections.of_camera(camera_id)):
            connection.outbound.demand(self._demand(connection))

    def renew(self, connection: Connection) -> None:
        """Ask again for what is still looked at."""
        demand = self._demand(connection)
        if demand.views:
            connection.outbound.demand(demand)

    def show(self, connection: Connection, picture: LivePicture) -> None:
        """Hand a picture to whoever looks; it is stored nowhere."""
        topic = ("camera", picture.camera_id)
        if not self._broadcast.has_audience(topic) or not connection.has_camera(picture.camera_id):
            return
        try:
            check(picture.detections)
        except BadDetections as error:
            raise Refusal("malformed", f"a live picture: {error}") from error
        header = PictureHeader(
            camera_id=picture.camera_id,
            captured_at=picture.captured_at,
            width=picture.width,
            height=picture.height,
            bundle=picture.bundle.hex(),
            n_detections=len(picture.detections) // RECORD.size,
        )
        frame = picture_frame(header, picture.detections, picture.jpeg)
        self._broadcast.publish(topic, "picture", frame)

    def _demand(self, connection: Connection) -> LiveDemand:
        looked_at = (
            camera.camera_id
            for camera in connection.desired.cameras
            if self._broadcast.has_audience(("camera", camera.camera_id))
        )
        return LiveDemand(
            views=tuple(LiveView(camera_id=camera_id) for camera_id in looked_at),
            expires_s=EXPIRES_S,
        )
