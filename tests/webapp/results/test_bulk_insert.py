"""Rows written in bulk are the rows that the ORM would have written."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.factories import START, make_bundle, make_detections, make_result
from webapp.fleet.models import Bundle, Camera
from webapp.results.actions import store_results
from webapp.results.bulk import NewResult, NewResults
from webapp.results.models import CameraMinute, LabelMinute, Result


def arrived(camera: Camera, *results: NewResult) -> NewResults:
    return NewResults(
        organization=camera.organization_id.hex,
        agent=camera.agent_id.hex,
        epoch=1,
        received_at=START,
        results=list(results),
    )


def new(camera: Camera, bundle: Bundle, seq: int, *labels: int, after_s: float = 0.0) -> NewResult:
    return NewResult(
        seq=seq,
        camera=camera.id.hex,
        bundle=bundle.id.hex,
        captured_at=START + timedelta(seconds=after_s),
        latency_ms=12.5,
        detections=make_detections(*labels),
        n_started=tuple((label, 1) for label in set(labels)),
    )


@pytest.mark.parametrize("after_s", [0.0, 0.25, 1e-6, 3600.0])
def test_it_works(camera: Camera, bundle: Bundle, after_s: float) -> None:
    store_results([arrived(camera, new(camera, bundle, 1, 0, 2, after_s=after_s))])
    written = Result.objects.values().get()
    Result.objects.all().delete()
    by_orm = make_result(
        camera,
        bundle,
        seq=1,
        captured_at=START + timedelta(seconds=after_s),
        latency_ms=12.5,
        detections=make_detections(0, 2),
    )
    expected = Result.objects.values().get(pk=by_orm.pk)
    assert without_id(written) == without_id(expected)


def without_id(row: Mapping[str, object]) -> dict[str, object]:
    """Return what must be the same; SQLite and PostgreSQL differ in their type of bytes."""
    same = {name: value for name, value in row.items() if name != "id"}
    detections = same["detections"]
    assert isinstance(detections, bytes | memoryview)
    return same | {"detections": bytes(detections)}


def test_rows_written_in_bulk_are_found_by_their_instant(camera: Camera, bundle: Bundle) -> None:
    store_results(
        [arrived(camera, *(new(camera, bundle, seq, after_s=0.5 * seq) for seq in range(1, 6)))]
    )
    begin, end = START + timedelta(seconds=1), START + timedelta(seconds=2)
    found = Result.objects.filter(captured_at__gte=begin, captured_at__lte=end)
    assert sorted(found.values_list("seq", flat=True)) == [2, 3, 4]


def test_two_bundles_share_a_camera_s_minute(camera: Camera, bundle: Bundle) -> None:
    other = make_bundle(camera.organization)
    first = [new(camera, bundle, 1, 0, 0), new(camera, other, 2, 0), new(camera, bundle, 3, 0)]
    store_results([arrived(camera, *first)])
    store_results([arrived(camera, new(camera, bundle, 4, 0, 0, 0), new(camera, other, 5))])
    minute = CameraMinute.objects.get()
    assert (minute.minute_at, minute.n_results) == (START, 5)
    figures = LabelMinute.objects.values_list("bundle", "n_detections", "n_tracks", "peak")
    assert set(figures) == {(bundle.id, 6, 3, 3), (other.id, 1, 1, 1)}


def test_classes_are_counted_frame_by_frame_whatever_their_number(
    camera: Camera, bundle: Bundle
) -> None:
    frames: tuple[list[int], ...] = ([0, 256, 256, 32_767], [], [256, 0, 0], [255, 256, 256, 256])
    store_results(
        [arrived(camera, *(new(camera, bundle, seq, *each) for seq, each in enumerate(frames, 1)))]
    )
    figures = LabelMinute.objects.values_list("label", "n_detections", "n_tracks", "peak")
    assert set(figures) == {(0, 3, 2, 2), (255, 1, 1, 1), (256, 6, 3, 3), (32_767, 1, 1, 1)}
    assert CameraMinute.objects.get().n_results == len(frames)


def test_a_row_behind_the_writer_s_back_is_noticed(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle, seq=1)
    with pytest.raises(IntegrityError, match=r"(?i)unique"), transaction.atomic():
        store_results([arrived(camera, new(camera, bundle, 1))])
    assert not CameraMinute.objects.exists()


def test_instants_that_come_together_are_each_as_the_orm_writes_them(
    camera: Camera, bundle: Bundle
) -> None:
    after_s = [0.5, 59.999999, 60.0, 60.000001, 3600.5, 1.0, 86_400.25, -0.000001]
    results = [new(camera, bundle, seq, after_s=each) for seq, each in enumerate(after_s, 1)]
    store_results([arrived(camera, *results)])
    for seq, each in enumerate(after_s, 1):
        captured_at = START + timedelta(seconds=each)
        assert Result.objects.get(captured_at=captured_at).seq == seq
