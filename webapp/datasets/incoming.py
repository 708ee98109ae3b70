"""Files that people send to be imported: announced, sent to an address, then a worker's."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from webapp.accounts.models import Organization, User
from webapp.datasets.actions import IMPORT_SET
from webapp.datasets.uploads import VALID_FOR
from webapp.jobs.actions import announce_job, redeliver, tell
from webapp.jobs.models import Job
from webapp.media.actions import drop_unused
from webapp.media.models import Blob

MAX_UNFINISHED_IMPORTS: Final = 20
"""Of an organization: those whose file is still to come are among them."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_ZIP: Final = b"PK\x03\x04"
_BEGINNINGS: Final = (_ZIP, b"\xff\xd8\xff", _PNG)
_UNFINISHED: Final = (Job.State.WAITING, Job.State.RUNNING)


class TooManyImports(Exception):
    """Some imports of the organization are not done yet: wait for them."""

    def __str__(self) -> str:
        return (
            f"{MAX_UNFINISHED_IMPORTS} imports of your organization are not done yet:"
            " wait for them, or cancel them."
        )


class NotASet(Exception):
    """The file is nothing that can be imported; the text says why."""


class NotAwaited(Exception):
    """The import waits for no file: it has one, or is over; the text says which."""


@transaction.atomic
def announce_import(*, organization: Organization, name: str, by: User, at: datetime) -> Job:
    """Write down an import whose file is still to come; raise `TooManyImports`."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # one at a time counts
    mine = Job.objects.filter(organization=organization, kind=IMPORT_SET, state__in=_UNFINISHED)
    if mine.count() >= MAX_UNFINISHED_IMPORTS:
        raise TooManyImports
    return announce_job(
        kind=IMPORT_SET,
        title=f"Import of {name}"[:200],
        arguments={"name": name},
        organization=organization,
        by=by,
        at=at,
        # An address may be used up to its last moment, and the file take as long again.
        starts_by=at + 2 * VALID_FOR,
    )


@transaction.atomic
def begin_import(job: Job, *, file: Blob, at: datetime) -> Job:
    """Have the pictures in a file (one, or a zip of a set) made samples; raise `NotAwaited`.

    Raise `NotASet` for a file that is neither.
    """
    job = check_awaited(_locked(job))
    with default_storage.open(file.path) as stored:
        head = stored.read(len(_PNG))
    if not head.startswith(_BEGINNINGS):
        raise NotASet("This is neither a zip archive nor a JPEG or PNG picture.")
    job.arguments |= {"file": str(file.pk), "is_zip": head.startswith(_ZIP)}
    redeliver(job, at=at)
    return job


@transaction.atomic
def withdraw_import(job: Job, *, at: datetime) -> None:
    """Forget an import whose file turned out to be none; one that has another goes on."""
    locked = _locked(job)
    if locked is not None and awaits_file(locked):
        locked.delete()
        tell(job, at=at)


def check_awaited(job: Job | None) -> Job:
    """Return the import if its file may come; raise `NotAwaited`."""
    if job is None or not awaits_file(job):
        state = "has its file" if job is not None and "file" in job.arguments else "is over"
        raise NotAwaited(f"This import {state}: ask for another address.")
    return job


def awaits_file(job: Job) -> bool:
    """Return whether an import is announced, and its file has not come."""
    return job.state == Job.State.WAITING and "file" not in job.arguments


def drop_sent(file: Blob, *, by: UUID | None = None) -> None:
    """Forget a file that was sent to be imported, unless it is also an offered export's.

    Equal files are one: another import than the job `by` that has yet to read it keeps it, too.
    """
    reading = Q(kind=IMPORT_SET, arguments__file=str(file.pk), state__in=_UNFINISHED)
    users = Job.objects.filter(reading | Q(result__blob=str(file.pk)))
    if not users.exclude(pk__in=[by] if by else []).exists():
        drop_unused([file.pk])


def _locked(job: Job) -> Job | None:
    return Job.objects.select_for_update(of=("self",)).filter(pk=job.pk).first()
