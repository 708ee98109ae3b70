"""A camera's packets for somebody who looks: as the camera sent them, never decoded."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from edge_agent.live import LiveDesk
from processing.media.clip_packets import ClipFailed, EncodedPicture, PacketCopier
from processing.media.fragments import Fragmenter
from processing.media.remux import plays_as_it_is
from processing.wire.limits import MAX_FRAGMENT_BYTES, MAX_INIT_BYTES
from processing.wire.messages import LiveVideo

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

log = structlog.get_logger()


class LiveVideoTap:
    """A `PacketTap` that costs next to nothing while nobody looks.

    `may_show` is asked for every packet: nothing leaves of a camera with anything to hide, for
    what is in a packet cannot be covered. Such a camera is shown as JPEGs, like one whose codec
    browsers do not play.
    """

    def __init__(
        self,
        camera_id: UUID,
        desk: LiveDesk,
        *,
        may_show: Callable[[], bool],
        is_main: bool = False,
    ) -> None:
        """`is_main`: the packets are of the main stream, and not of the one that is analysed."""
        self._camera_id: Final = camera_id
        self._desk: Final = desk
        self._may_show: Final = may_show
        self._is_main: Final = is_main
        self._copier = PacketCopier(self._put)
        self._fragmenter = Fragmenter()
        self._number = 0
        self._is_playable = False
        self.is_running = False
        """Whether somebody is shown this camera's own packets."""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody looks, and may see it."""
        return self._desk.wants_video(self._camera_id, is_main=self._is_main) and self._may_show()

    def begin(self, stream: "VideoStream") -> None:
        """See `PacketTap`."""
        self._is_playable = plays_as_it_is(stream.codec_context.codec.canonical_name)
        if self._is_playable:
            self._copier.begin(stream)

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        """See `PacketTap`."""
        if not self._is_playable:
            return
        if self.is_wanted:
            self.is_running = True
            self._copier.take(packet, at)
        elif self.is_running:
            self.is_running = False
            self._copier.pause()
            self.cut()

    def end(self) -> None:
        """See `PacketTap`."""
        self.is_running = False
        self._copier.end()

    def cut(self) -> None:
        """Forget what was offered and is not sent yet."""
        self._desk.cut_video(self._camera_id, is_main=self._is_main)

    def _put(self, picture: EncodedPicture) -> None:
        try:
            fragment = self._fragmenter.add(picture)
        except ClipFailed as error:
            self._give_up(str(error))
            return
        self._number += 1
        track = fragment.track
        if len(fragment.data) > MAX_FRAGMENT_BYTES or len(track.init) > MAX_INIT_BYTES:
            self._copier.pause()  # nobody can make anything of those that follow
            return  # its number is missing, so players wait for a key picture that is smaller
        self._desk.put_video(
            LiveVideo(
                camera_id=self._camera_id,
                captured_at=picture.at,
                number=self._number,
                at_s=fragment.at_s,
                fragment=fragment.data,
                width=track.width,
                height=track.height,
                codec=track.codec if fragment.is_key else "",
                init=track.init if fragment.is_key else b"",
                is_main=self._is_main,
            )
        )

    def _give_up(self, reason: str) -> None:
        """Be of no use until the camera is connected anew."""
        self._is_playable = self.is_running = False
        self._copier.end()
        log.info("live_video.not_playable", camera=str(self._camera_id), reason=reason)
