"""Live pictures and video: they travel only while somebody looks, and are stored nowhere."""

from typing import Final, TypeAlias, assert_never
from uuid import UUID

from msgspec.structs import replace

from processing.wire.browser import (
    BoxesHeader,
    PictureHeader,
    VideoHeader,
    boxes_frame,
    picture_frame,
    video_frame,
)
from processing.wire.limits import HEARTBEAT_S
from processing.wire.messages import LiveBoxes, LiveDemand, LivePicture, LiveVideo, LiveView
from processing.wire.packed import RECORD, BadDetections, check
from webapp.common.broadcast import Broadcast, Topic
from webapp.gateway.connection import Connection, Connections
from webapp.gateway.refusal import Refusal

EXPIRES_S = 1.5 * HEARTBEAT_S
"""A demand lapses by itself; it is renewed three times in this time."""

PICTURES: Final = "camera"
SMALL: Final = "small"
VIDEO: Final = "video"
MAIN: Final = "main"
_KINDS: Final = (PICTURES, SMALL, VIDEO, MAIN)
_SMALL_WIDTH: Final = 480
_SMALL_FPS: Final = 5.0

Seen: TypeAlias = LivePicture | LiveVideo | LiveBoxes
"""What an agent sends of a camera that somebody looks at."""


class Live:
    """Asks agents for what is looked at, and passes on what they send."""

    def __init__(self, connections: Connections, broadcast: Broadcast) -> None:
        self._connections = connections
        self._broadcast = broadcast

    def audience_changed(self, topic: Topic) -> None:
        """Tell the agent of a camera that somebody looks, or that nobody does any more."""
        kind, camera_id = topic
        if kind in _KINDS and (connection := self._connections.of_camera(camera_id)):
            connection.outbound.demand(self._demand(connection))

    def renew(self, connection: Connection) -> None:
        """Ask again for what is still looked at."""
        demand = self._demand(connection)
        if demand.views:
            connection.outbound.demand(demand)

    def show(self, connection: Connection, seen: Seen) -> None:
        """Hand it to whoever looks; raise `Refusal` of what is not as it should be."""
        if not connection.has_camera(seen.camera_id):
            return
        match seen:
            case LivePicture():
                self._show_picture(seen)
            case LiveVideo():
                self._show_video(seen)
            case LiveBoxes():
                self._show_boxes(seen)
            case _:
                assert_never(seen)

    def _show_picture(self, picture: LivePicture) -> None:
        topics = self._looked_at(picture.camera_id, PICTURES, SMALL)
        if not topics:
            return
        header = PictureHeader(
            camera_id=picture.camera_id,
            captured_at=picture.captured_at,
            width=picture.width,
            height=picture.height,
            bundle=picture.bundle.hex(),
            n_detections=_count(picture.detections),
        )
        frame = picture_frame(header, picture.detections, picture.jpeg)
        for topic in topics:
            self._broadcast.publish(topic, "picture", frame)

    def _show_video(self, video: LiveVideo) -> None:
        if bool(video.codec) != video.is_key:
            raise Refusal("malformed", "live video: a key picture has both its codec and its init")
        topic = (MAIN if video.is_main else VIDEO, video.camera_id)
        if not self._broadcast.has_audience(topic):
            return
        header = VideoHeader(
            captured_at=video.captured_at,
            number=video.number,
            at_s=video.at_s,
            width=video.width,
            height=video.height,
            codec=video.codec,
            n_init=len(video.init),
        )
        frame = video_frame(header, video.init, video.fragment)
        self._broadcast.publish(topic, "key" if video.is_key else "delta", frame)

    def _show_boxes(self, boxes: LiveBoxes) -> None:
        topics = self._looked_at(boxes.camera_id, VIDEO, MAIN)
        if not topics:
            return
        header = BoxesHeader(
            captured_at=boxes.captured_at,
            bundle=boxes.bundle.hex(),
            n_detections=_count(boxes.detections),
        )
        frame = boxes_frame(header, boxes.detections)
        for topic in topics:
            self._broadcast.publish(topic, "boxes", frame)

    def _demand(self, connection: Connection) -> LiveDemand:
        views = (self._view(camera.camera_id) for camera in connection.desired.cameras)
        return LiveDemand(
            views=tuple(view for view in views if view is not None), expires_s=EXPIRES_S
        )

    def _view(self, camera_id: UUID) -> LiveView | None:
        """Return what is to be sent of a camera, sized to the largest who looks."""
        kinds = {kind for kind, _ in self._looked_at(camera_id, *_KINDS)}
        if not kinds:
            return None
        view = LiveView(
            camera_id=camera_id,
            has_pictures=PICTURES in kinds,
            has_video=VIDEO in kinds,
            has_main_video=MAIN in kinds,
        )
        if SMALL in kinds and PICTURES not in kinds:
            view = replace(view, has_pictures=True, max_width=_SMALL_WIDTH, max_fps=_SMALL_FPS)
        return view

    def _looked_at(self, camera_id: UUID, *kinds: str) -> list[Topic]:
        """Return those topics of a camera that somebody listens to."""
        topics = [(kind, camera_id) for kind in kinds]
        return [topic for topic in topics if self._broadcast.has_audience(topic)]


def _count(detections: bytes) -> int:
    """Return how many there are; raise `Refusal` of what are none."""
    try:
        check(detections)
    except BadDetections as error:
        raise Refusal("malformed", f"boxes of a live picture: {error}") from error
    return len(detections) // RECORD.size
