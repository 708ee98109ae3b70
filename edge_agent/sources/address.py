"""What may be opened, and how: `rtsp://`, `http://`, `usb:N`, and `file:NAME` in one folder."""

import re
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from edge_agent.sources.feed import Feed
from edge_agent.sources.file import PlayedFile
from edge_agent.sources.live import LiveFeed
from edge_agent.sources.synthetic import SyntheticFeed
from processing.media.decode import NotAVideo, SourceLost, stream, usb_camera

_MAX_ADDRESS: Final = 2000
_USB: Final = re.compile(r"usb:([0-9]{1,3})")


def open_feed(address: str, *, files_dir: Path | None, now: Clock) -> Feed:
    """Return the feed of a camera's address; raise `SourceLost` in words if it is refused.

    Nothing is opened yet. A hub may be taken over, and says what to open: so only cameras and the
    videos of one folder can be named, never a file elsewhere or a protocol that reads one.
    """
    if len(address) > _MAX_ADDRESS or not address.isprintable():
        raise NotAVideo("the address of the camera is not one")
    if address.startswith("file:"):
        return PlayedFile(file_in(files_dir, address.removeprefix("file:")), now=now)
    if found := _USB.fullmatch(address):
        return LiveFeed(usb_camera(int(found[1])), now=now)
    if address == "synthetic:":
        return SyntheticFeed(now=now)
    try:
        return LiveFeed(stream(address), now=now)
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
