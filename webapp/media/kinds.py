"""What bytes look like they are, by their beginning and end; nothing is decoded."""


def is_jpeg(data: bytes) -> bool:
    """Return whether these may be a JPEG: its start and end markers are there."""
    return data.startswith(b"\xff\xd8\xff") and data.rstrip(b"\0").endswith(b"\xff\xd9")


def is_mp4(head: bytes) -> bool:
    """Return whether a file may be an MP4: its first box is `ftyp` (ISO/IEC 14496-12)."""
    return len(head) >= 8 and head[4:8] == b"ftyp"  # noqa: PLR2004 - a box's size and type
