"""Control is state: what is desired against what is gives a list of changes."""

from pathlib import Path
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.reconcile import LastWishes, Start, Stop, Tune, changes
from processing.wire.camera import DesiredCamera
from processing.wire.messages import DesiredState


def camera(
    n: int, *, source: str = "usb:0", is_enabled: bool = True, fps: float = 10.0
) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=n), name=f"c{n}", source=source, is_enabled=is_enabled, analysed_fps=fps
    )


def actual(*cameras: DesiredCamera) -> dict[UUID, DesiredCamera]:
    return {camera.camera_id: camera for camera in cameras}


def desired(*cameras: DesiredCamera) -> DesiredState:
    return DesiredState(version=1, cameras=cameras)


def test_it_works() -> None:
    one, two, three = camera(1), camera(2), camera(3)
    assert changes(desired(one, three), actual(one, two)) == [Stop(UUID(int=2)), Start(three)]


def test_nothing_changes_when_all_is_as_desired() -> None:
    assert changes(desired(camera(1)), actual(camera(1))) == []


def test_other_settings_do_not_restart_a_camera() -> None:
    faster = camera(1, fps=20.0)
    assert changes(desired(faster), actual(camera(1))) == [Tune(faster)]


def test_another_source_does() -> None:
    moved = camera(1, source="usb:1")
    assert changes(desired(moved), actual(camera(1))) == [Stop(UUID(int=1)), Start(moved)]


def test_a_disabled_camera_is_stopped_and_not_started() -> None:
    off = camera(1, is_enabled=False)
    assert changes(desired(off), actual(camera(1))) == [Stop(UUID(int=1))]
    assert changes(desired(off), {}) == []


cameras = st.builds(
    camera,
    st.integers(1, 5),
    source=st.sampled_from(["usb:0", "usb:1"]),
    is_enabled=st.booleans(),
    fps=st.sampled_from([5.0, 10.0]),
)
sets = st.lists(cameras, unique_by=lambda camera: camera.camera_id, max_size=5)


@given(sets, sets)
def test_after_the_changes_all_is_as_desired(
    wanted: list[DesiredCamera], had: list[DesiredCamera]
) -> None:
    running = actual(*(camera for camera in had if camera.is_enabled))
    for change in changes(desired(*wanted), running):
        match change:
            case Start(camera) if camera.camera_id not in running:
                running[camera.camera_id] = camera
            case Stop(camera_id):
                del running[camera_id]
            case Tune(camera) if running[camera.camera_id].source == camera.source:
                running[camera.camera_id] = camera
            case _:
                raise AssertionError(change)
    assert running == actual(*(camera for camera in wanted if camera.is_enabled))
    assert changes(desired(*wanted), running) == []


def test_the_last_wishes_outlive_the_process(tmp_path: Path) -> None:
    wishes = LastWishes(tmp_path / "desired.msgpack")
    assert wishes.read() == DesiredState(version=0)
    wishes.write(desired(camera(1), camera(2)))
    assert LastWishes(tmp_path / "desired.msgpack").read() == desired(camera(1), camera(2))
    assert (tmp_path / "desired.msgpack").stat().st_mode & 0o077 == 0  # it may hold passwords


def test_damaged_wishes_are_none(tmp_path: Path) -> None:
    path = tmp_path / "desired.msgpack"
    path.write_bytes(msgspec.msgpack.encode({"type": "desired", "version": "many"}))
    assert LastWishes(path).read() == DesiredState(version=0)


def test_a_disk_that_refuses_is_survived(tmp_path: Path) -> None:
    LastWishes(tmp_path / "nowhere" / "desired.msgpack").write(desired())
