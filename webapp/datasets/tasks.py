"""Writing datasets in other people's formats. Loaded by workers alone."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from processing.exchange.coco_export import LabelledBox, LabelledPicture, encode_coco, to_coco
from webapp.datasets.actions import EXPORT_COCO
from webapp.datasets.models import Annotation
from webapp.datasets.queries import current_annotations, label_names
from webapp.jobs.attempts import Attempt
from webapp.jobs.registry import does
from webapp.media.actions import put_blob

STEP: Final = 20
"""Pictures between two looks at whether to go on."""


@does(EXPORT_COCO)
def export_coco(attempt: Attempt) -> None:
    """Write what people said of the organization's samples as one COCO file."""
    pictures = list(_pictures(attempt))
    used = {box.label for picture in pictures for box in picture.boxes}
    file = to_coco(
        pictures,
        labels=label_names(attempt.organization, used=used),
        description=f"Samples of {attempt.organization.name}, corrected by people",
        at=attempt.clock(),
    )
    blob = put_blob(
        encode_coco(file),
        content_type="application/json",
        organization=attempt.organization,
        at=attempt.clock(),
    )
    with attempt.finishing() as result:
        result["blob"] = str(blob.id)
        result["n_images"] = len(file.images)
        result["n_boxes"] = len(file.annotations)


def _pictures(attempt: Attempt) -> Iterator[LabelledPicture]:
    wanted = attempt.arguments.get("cameras") or []
    assert isinstance(wanted, list)
    annotations = current_annotations(
        attempt.organization, camera_ids=[UUID(str(camera_id)) for camera_id in wanted]
    )
    n_total = annotations.count()
    for n_done, annotation in enumerate(annotations.iterator(chunk_size=200)):
        if n_done % STEP == 0:
            attempt.step(n_done, n_total)
        yield _picture(annotation)
    attempt.step(n_total, n_total)


def _picture(annotation: Annotation) -> LabelledPicture:
    sample = annotation.sample
    return LabelledPicture(
        id=sample.id,
        file_name=f"images/{sample.id}.jpg",
        width=sample.width,
        height=sample.height,
        captured_at=sample.captured_at,
        boxes=tuple(LabelledBox(tuple(box["xyxy"]), str(box["label"])) for box in annotation.boxes),
    )
