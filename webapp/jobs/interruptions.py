"""Why work stops before its end, as its task and its worker tell each other."""

from dataclasses import dataclass


class CannotBeDone(Exception):
    """It will never succeed as it is; the text is for whoever asked for it."""


class MayPass(Exception):
    """It failed, and may well succeed later; the text is for whoever asked for it."""


class Interrupted(Exception):
    """This attempt must stop at once."""


class CancelWanted(Interrupted):
    """A person cancelled the job."""


class Superseded(Interrupted):
    """Another attempt has taken over, or the job is over: this one may not write any more."""


class WorkerStops(Interrupted):
    """The worker was asked to stop; the work goes to the next one."""


@dataclass
class StopSign:
    """Set by the worker's signal handler, read at every step."""

    is_up: bool = False
