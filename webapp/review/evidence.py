"""What the hub knows about a sample that may make it worth a labeler's minute."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Final

from processing.wire.packed import unpack
from webapp.datasets.models import Annotation, Sample
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.results.models import Result
from webapp.review.appraisal import Evidence, Flicker, Novelty
from webapp.review.queries import predictions_of

_AROUND: Final = timedelta(seconds=2)
"""Results this close to a sample tell whether its tracks come and go."""
_FEWEST_FRAMES: Final = 8
"""A track seen over fewer frames tells nothing about that."""
_FEWEST_LABELLED: Final = 20
"""With fewer pictures labelled, everything would be new and rare."""
_MOST_LABELLED: Final = 1000
"""The newest count."""
_MOST_EMBEDDED: Final = 2000
"""As above; at most 8 MiB."""
_MANY: Final = 9973


def evidence_of(sample: Sample, *, novelty: Novelty | None, at: datetime) -> Evidence:
    """Return what is known about a sample; how new its picture is, only who reads it can tell."""
    camera = sample.camera
    trouble = None if camera is None else _running_trouble(camera)
    predicted = predictions_of(sample)
    return Evidence(
        reason=sample.reason,
        score=sample.score,
        draw=sample.pk.int % _MANY / _MANY,  # its id's random bits
        note=sample.note,
        predicted=predicted,
        threshold=0.4 if camera is None else camera.score_threshold,
        n_compared=sample.n_compared,
        n_shadowed=sample.n_shadowed or 0,
        n_shadowed_alone=sample.n_shadowed_alone or 0,
        flicker=_worst_flicker(sample),
        shares=_label_shares(sample, frozenset(box.label for box in predicted)),
        novelty=novelty,
        trouble="" if trouble is None else trouble.title,
        trouble_minutes=0.0
        if trouble is None
        else (at - trouble.occurred_at) / timedelta(minutes=1),
    )


def labelled_appearances(sample: Sample) -> list[bytes]:
    """Return what the newest labelled pictures look like; nothing while there are too few."""
    labelled = Annotation.objects.filter(
        organization_id=sample.organization_id, is_current=True
    ).exclude(sample__appearance=b"")
    newest = labelled.order_by("-created_at").values_list("sample__appearance", flat=True)
    found = [bytes(appearance) for appearance in newest[:_MOST_LABELLED]]
    return found if len(found) >= _FEWEST_LABELLED else []


def labelled_embeddings(sample: Sample) -> list[bytes]:
    """Return those of the newest labelled pictures that the sample's own can be compared with.

    Another bundle's cannot be. Nothing while there are too few, or if the sample has none.
    """
    own, bundle = sample.embedding, sample.bundle
    if own is None or bundle is None:
        return []
    labelled = Annotation.objects.filter(
        organization_id=sample.organization_id,
        is_current=True,
        sample__bundle=bundle,
        sample__embedding__isnull=False,
    )
    newest = labelled.order_by("-created_at").values_list("sample__embedding", flat=True)
    embeddings = [bytes(each) for each in newest[:_MOST_EMBEDDED] if each is not None]
    found = [each for each in embeddings if len(each) == len(own)]
    return found if len(found) >= _FEWEST_LABELLED else []


def _running_trouble(camera: Camera) -> Event | None:
    """Return the oldest event that says that the camera's pictures are not what they were."""
    running = Event.objects.filter(
        camera=camera, state=Event.State.RUNNING, kind__startswith="picture_"
    )
    return running.order_by("occurred_at").first()


def _worst_flicker(sample: Sample) -> Flicker | None:
    """Return the track of the sample that is missing in most frames between its first and last."""
    bundle = sample.bundle
    if sample.camera is None or bundle is None:
        return None
    around = (sample.captured_at - _AROUND, sample.captured_at + _AROUND)
    frames = Result.objects.filter(camera=sample.camera, captured_at__range=around)
    seen: dict[int, list[int]] = defaultdict(list)
    for number, packed in enumerate(
        frames.order_by("captured_at").values_list("detections", flat=True)
    ):
        for found in unpack(bytes(packed)):
            seen[found.track].append(number)
    flickers = []
    for found in unpack(bytes(sample.predictions)):
        numbers = seen[found.track] if found.track else []
        n_frames = numbers[-1] - numbers[0] + 1 if numbers else 0
        if n_frames >= _FEWEST_FRAMES and found.label < len(bundle.labels):
            share = len(set(numbers)) / n_frames
            flickers.append(Flicker(bundle.labels[found.label], share, n_frames))
    return min(flickers, key=lambda each: each.share, default=None)


def _label_shares(sample: Sample, labels: frozenset[str]) -> tuple[tuple[str, float], ...]:
    """Return how much each of these classes makes up of what is labelled."""
    newest = Annotation.objects.filter(organization_id=sample.organization_id, is_current=True)
    counts: Counter[str] = Counter()
    n_labelled = 0
    for boxes in newest.order_by("-created_at").values_list("boxes", flat=True)[:_MOST_LABELLED]:
        n_labelled += 1
        counts.update(box["label"] for box in boxes)
    n_boxes = counts.total()
    if n_labelled < _FEWEST_LABELLED or not n_boxes:
        return ()
    return tuple((label, counts[label] / n_boxes) for label in sorted(labels))
