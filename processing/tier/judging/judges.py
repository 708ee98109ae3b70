"""What runs a version of a model: a judge. The batcher decides what it sees, and when."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from processing.inference.bundle import Bundle
from processing.inference.detector import InferenceFailed
from processing.vision.detections import Detections
from processing.vision.frame import Frame

Finding: TypeAlias = Detections | InferenceFailed
"""Of one frame, in its pixels; one that failed says nothing of the others in its batch."""

OnJudged: TypeAlias = Callable[[Sequence[Finding]], None]
"""Called once per accepted batch, with one finding for each frame, in order; on any thread."""


class Judge(Protocol):
    """A version of a model, loaded. `submit` is called on the event loop and never waits."""

    @property
    def max_batch(self) -> int:
        """Return how many frames it judges at once at most."""

    @property
    def n_parallel(self) -> int:
        """Return how many batches it keeps in flight; more than one keeps its device busy."""

    @property
    def memory_bytes(self) -> int:
        """Return about how much memory it holds, on whichever device."""

    def submit(self, frames: Sequence[Frame], on_judged: OnJudged) -> None:
        """Start judging 1..`max_batch` frames of any sizes.

        The caller never has more than `n_parallel` batches unanswered. Never raises: what goes
        wrong is each frame's finding.
        """

    def close(self) -> None:
        """Answer what was accepted, then free everything. It waits; nothing comes after it."""


class JudgeOpener(Protocol):
    """Makes judges of bundles: one runtime on one device. Called on threads of the shelf."""

    @property
    def device(self) -> str:
        """Return what runs the judges, in words for a person."""

    def weigh(self, bundle: Bundle) -> int:
        """Return about how many bytes of memory a judge of it will hold, before it is loaded."""

    def open(self, bundle: Bundle) -> Judge:
        """Load it; raise `BadBundle`. The shelf warms it up before anything is routed to it."""
