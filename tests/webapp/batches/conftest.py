"""Bundles that batches may be judged with, pictures to send, and a worker that is asked to work."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.processing.exchange.archives import zipped
from tests.processing.tiny_bundle import LABELS, make_tiny_bundle, picture
from webapp.accounts.models import Organization, User
from webapp.batches.actions import NewBatch, begin_upload, create_batch
from webapp.batches.listing import folder_path
from webapp.batches.models import Batch, WorkerBundle
from webapp.batches.queries import pictures_of
from webapp.common.clock import now
from webapp.jobs.interruptions import StopSign
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS, PERIODIC
from webapp.jobs.running import JobRunner
from webapp.jobs.ticks import Tick
from webapp.jobs.worker import LEASE, load_tasks
from webapp.media.actions import put_blob

Work = Callable[[], None]


@pytest.fixture(scope="session")
def bundles_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workers' folder with one bundle, which finds patches of blue, green and red."""
    folder = tmp_path_factory.mktemp("bundles")
    make_tiny_bundle(folder / "tiny-1")
    return folder


@pytest.fixture
def tiny(db: None, settings: object, bundles_dir: Path) -> WorkerBundle:
    """The bundle, as a worker has declared it."""
    settings.BUNDLES_DIR = bundles_dir  # type: ignore[attr-defined]
    load_tasks()
    tick("batches.declare_bundles")
    return WorkerBundle.objects.get()


@pytest.fixture
def work(tiny: WorkerBundle) -> Iterator[Work]:
    """Do every job that waits for a worker, until none does."""

    def do_all() -> None:
        runner = JobRunner(handlers=HANDLERS, clock=now, lease=LEASE)
        while (job := Job.objects.filter(state=Job.State.WAITING, due_at=None).first()) is not None:
            runner.run(job.pk, job.attempt + 1)

    yield do_all
    # pylint: the engine is the worker's for good; a test's worker ends here
    from webapp.batches import tasks  # noqa: PLC0415 - only a worker loads it

    tasks._let_go()


def tick(kind: str) -> None:
    """Do periodic work now."""
    at = now()
    PERIODIC[kind].handler(Tick(kind, 1, at, now, StopSign()))


def jpeg(*patches: tuple[str, int, int], side: int = 64) -> bytes:
    """Return a picture with patches (colour, column, row), nearly as it was drawn."""
    drawn = picture(*patches, width=side, height=side)
    return cv2.imencode(".png", drawn)[1].tobytes()


def pictures(n: int) -> list[tuple[str, bytes]]:
    """Return so many pictures, each unlike the others, of one patch each."""
    return [
        (f"{number:05}.png", jpeg((LABELS[number % 3], number % 8, number // 8 % 8)))
        for number in range(n)
    ]


def new_batch(bundle: WorkerBundle, **facts: object) -> NewBatch:
    facts = {"name": "Street", "source": "upload", "wanted": {}, "min_score": 0.4} | facts
    return NewBatch(bundle=bundle, **facts)  # type: ignore[arg-type]


def send(
    files: list[tuple[str, bytes]], bundle: WorkerBundle, *, organization: Organization, by: User
) -> Batch:
    """Return a batch of these files, sent as an archive."""
    batch = create_batch(new_batch(bundle), organization=organization, by=by, at=now())
    file = put_blob(
        zipped(files), content_type="application/octet-stream", organization=organization, at=now()
    )
    return begin_upload(batch, file=file, at=now())


def put_folder(organization: Organization, name: str, files: list[tuple[str, bytes]]) -> None:
    """Put files where an operator does."""
    for file_name, content in files:
        path = f"{folder_path(organization.pk, name)}/{file_name}"
        default_storage.save(path, ContentFile(content))


def names_found(batch: Batch) -> list[tuple[str, list[str]]]:
    """Return each picture's name, with what was found in it."""
    return [
        (judged.item.name, [batch.labels[found.label] for found in judged.detections()])
        for judged in pictures_of(batch)
    ]
