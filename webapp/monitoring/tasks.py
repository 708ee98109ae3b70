"""What this app has the worker do now and then."""

from datetime import timedelta

from webapp.jobs.registry import every
from webapp.jobs.ticks import Tick
from webapp.monitoring.actions import judge_pictures


@every(timedelta(minutes=1), kind="monitoring.judge")
def judge(tick: Tick) -> None:
    """Notice pictures that are dark, blurred, frozen or moved."""
    for n_judged in judge_pictures(at=tick.clock()):
        tick.step(n_judged, n_judged)
