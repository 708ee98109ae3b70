"""Imports as the page tells them: how far, and what came of them, in words."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from webapp.datasets.incoming import awaits_file
from webapp.jobs.models import Job

_TONES: Final = {
    Job.State.RUNNING: "info",
    Job.State.DONE: "ok",
    Job.State.FAILED: "err",
    Job.State.CANCELLED: "warn",
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One import on the page."""

    job: Job
    name: str
    """Of its file."""
    tone: str
    state: str
    words: str
    notes: tuple[str, ...]
    """What was left out, and why; the first of it."""
    n_unsaid: int
    """Notes beyond those."""
    may_cancel: bool


def import_rows(jobs: Iterable[Job], *, steerable: Collection[UUID]) -> list[ImportRow]:
    """Return the imports as they are shown to somebody who may steer some of them."""
    return [_row(job, is_mine=job.pk in steerable) for job in jobs]


def _row(job: Job, *, is_mine: bool) -> ImportRow:
    return ImportRow(
        job=job,
        name=str(job.arguments.get("name", job.name)),
        tone=_TONES.get(Job.State(job.state), ""),
        state="Being sent" if awaits_file(job) else job.get_state_display(),
        words=_words(job),
        notes=tuple(job.result.get("notes", ())),
        n_unsaid=job.result.get("n_unsaid", 0),
        may_cancel=is_mine and not job.is_finished and not job.is_cancel_wanted,
    )


def _words(job: Job) -> str:
    match Job.State(job.state):
        case Job.State.WAITING:
            words = "Its file is on its way." if awaits_file(job) else "Waits for its turn."
            return job.error or words
        case Job.State.RUNNING:
            return "Stops at the next pictures." if job.is_cancel_wanted else _progress(job)
        case Job.State.DONE:
            return f"{', '.join(_outcome(job.result))}."
        case Job.State.FAILED:
            return job.error
        case Job.State.CANCELLED:
            return "What was taken in before stays." if job.n_done else "Nothing was taken in."


def _progress(job: Job) -> str:
    """Say how far it is: every picture is looked at, then every one is taken in."""
    n_pictures = job.n_total // 2
    if not n_pictures:
        return "Looks into the file."
    if job.n_done < n_pictures:
        return f"Has checked {job.n_done} of {_counted(n_pictures, 'picture')}."
    return f"Has taken in {job.n_done - n_pictures} of {_counted(n_pictures, 'picture')}."


def _outcome(result: dict[str, int]) -> Iterator[str]:
    n_images, n_labelled, n_known = (
        result.get(name) or 0 for name in ("n_images", "n_labelled", "n_known")
    )
    n_asked = n_images - n_labelled - n_known
    n_left_out = result.get("n_left_out") or 0
    yield _counted(n_images + n_left_out, "picture")
    if n_labelled:
        yield f"{n_labelled} labelled with {_counted(result.get('n_boxes') or 0, 'box', 'boxes')}"
    if n_asked:
        yield f"{n_asked} for the labelers"
    if n_known:
        yield f"{n_known} known already"
    if n_left_out:
        yield f"{n_left_out} left out"


def _counted(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or f'{one}s'}"
