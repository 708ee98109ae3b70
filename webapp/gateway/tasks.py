"""What the worker does for the tables that agents fill."""

from datetime import timedelta

from webapp.common.keeping import forget_old
from webapp.events.actions.noting import note_of_organization
from webapp.events.models import Event
from webapp.jobs.registry import every
from webapp.jobs.ticks import Tick
from webapp.results.actions import make_partitions
from webapp.results.archive import archive_due, sweep
from webapp.results.archive_check import newly_damaged
from webapp.results.folding import fold


@every(timedelta(hours=1), kind="results.keep")
def keep(tick: Tick) -> None:
    """Make days for results, and forget what has been kept for long enough."""
    make_partitions(tick.at)
    for _ in forget_old(tick.at):
        tick.step()


@every(timedelta(minutes=10), kind="results.days")
def fold_counts(tick: Tick) -> None:
    """Add the counts of finished hours and days up, for charts of weeks and months."""
    for _ in fold(tick.at):
        tick.step()


@every(timedelta(hours=1), kind="results.archive")
def archive(tick: Tick) -> None:
    """Write results of old days to Parquet files, and look whether the files are there."""
    for _ in archive_due(tick.at):
        tick.step()
    sweep(tick.at)
    for day in newly_damaged(tick.at):
        note_of_organization(
            day.organization_id,
            kind="archive.damaged",
            title=f"The results of {day.day} cannot be read",
            at=tick.at,
            detail="Their file in the archive is missing or damaged. A backup may have it whole.",
            severity=Event.Severity.ERROR,
        )
