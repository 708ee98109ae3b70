"""A camera that speaks RTSP: plays an H.264 file (with access unit delimiters) for ever.

Run by the system's Python, which has GStreamer's bindings:

    /usr/bin/python3 camera.py PORT FPS FILE [USER PASSWORD]

Writes its port when it is ready; port 0 takes a free one. The stream is at /live, over TCP or UDP,
and its clock goes on from one pass of the file to the next.
"""

import sys
from itertools import count
from pathlib import Path
from typing import Any, Final

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found] # noqa: E402

_DELIMITER: Final = b"\0\0\0\1\t"
_PIPELINE: Final = (
    "( appsrc name=pictures is-live=true format=time max-bytes=200000 "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au "
    "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
)


def main(port: str, fps: str, file: str, *login: str) -> None:
    """Serve until killed."""
    Gst.init(None)
    units = [_DELIMITER + unit for unit in Path(file).read_bytes().split(_DELIMITER)[1:]]
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(_PIPELINE)
    factory.set_shared(True)
    factory.connect("media-configure", lambda _, media: _feed(media, units, float(fps)))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if login:
        _demand(server, factory, *login)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


def _feed(media: Any, units: list[bytes], fps: float) -> None:
    numbers = count()

    def on_need(source: Any, _n_bytes: int) -> None:
        number = next(numbers)
        buffer = Gst.Buffer.new_wrapped(units[number % len(units)])
        buffer.pts = buffer.dts = int(number * Gst.SECOND / fps)
        buffer.duration = int(Gst.SECOND / fps)
        source.emit("push-buffer", buffer)

    media.get_element().get_by_name_recurse_up("pictures").connect("need-data", on_need)


def _demand(server: Any, factory: Any, user: str, password: str) -> None:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for what in ("access", "construct"):
        permissions.add_permission_for_role("viewer", f"media.factory.{what}", *[True])
    factory.set_permissions(permissions)


if __name__ == "__main__":
    main(*sys.argv[1:])
