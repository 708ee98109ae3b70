"""What may be opened, and how: `rtsp://`, `http://`, `usb:N`, and `file:NAME` in one folder."""

import re
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sources.feed import Feed, Passage
from edge_agent.sources.file import PlayedFile
from edge_agent.sources.live import LiveFeed
from edge_agent.sources.synthetic import SyntheticFeed
from processing.media.decode import NotAVideo, Source, SourceLost, stream, usb_camera, video_file
from processing.media.packets import PacketTap
from processing.wire.camera import DesiredCamera

_MAX_ADDRESS: Final = 2000
_USB: Final = re.compile(r"usb:([0-9]{1,3})")


def open_feed(
    camera: DesiredCamera,
    tap: PacketTap | None,
    *,
    files_dir: Path | None,
    now: Clock,
    hardware: str = "",
) -> Feed:
    """Return the feed of a camera; raise `SourceLost` in words if its address is refused.

    Nothing is opened yet. A hub may be taken over, and says what to open: so only cameras and the
    videos of one folder can be named, never a file elsewhere or a protocol that reads one.
    `hardware` names what to decode on; see `processing.media.hardware`.
    """
    if camera.source == "synthetic:":
        return SyntheticFeed(now=now)
    source = _source_of(camera, camera.source, files_dir)
    if source.is_live:
        return LiveFeed(source, now=now, tap=tap, hardware=hardware)
    return PlayedFile(Path(source.url), now=now, tap=tap)


def open_passage(
    camera: DesiredCamera, tap: PacketTap, *, files_dir: Path | None, now: Clock
) -> Passage:
    """Return the packets of a camera's main stream; refuse addresses as `open_feed` does."""
    source = _source_of(camera, camera.streams.clip_source, files_dir)
    if source.is_live:
        return LiveFeed(source, now=now, tap=tap)
    return PlayedFile(Path(source.url), now=now, tap=tap)


def _source_of(camera: DesiredCamera, address: str, files_dir: Path | None) -> Source:
    if len(address) > _MAX_ADDRESS or not address.isprintable():
        raise NotAVideo("the address of the camera is not one")
    if address.startswith("file:"):
        return video_file(file_in(files_dir, address.removeprefix("file:")))
    if found := _USB.fullmatch(address):
        return usb_camera(int(found[1]))
    try:
        return stream(address, transport=camera.streams.transport)
    except ValueError as error:
        # From the parser of addresses, which may quote a password.
        raise SourceLost("the address of the camera cannot be understood") from error


def file_in(folder: Path | None, name: str) -> Path:
    """Return the file of that name in the folder or below it; raise `SourceLost`."""
    if folder is None:
        raise SourceLost(
            f"file:{name} is not played: the agent has no folder for videos (files_dir)"
        )
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise SourceLost(f"file:{name} is not the name of a file in the agent's folder for videos")
    try:
        path = (folder / name).resolve(strict=True)
        inside = path.is_relative_to(folder.resolve(strict=True))
    except (OSError, RuntimeError) as error:  # not there, or links that go in circles
        raise SourceLost(f"file:{name} does not exist in the agent's folder for videos") from error
    if not inside:
        raise SourceLost(f"file:{name} leads out of the agent's folder for videos")
    if not path.is_file():
        raise SourceLost(f"file:{name} is not a file")
    return path
