"""The cloud as a second engine: takes frames, asks the tier, answers each in time or never.

A few threads of its own carry the pictures, so that no camera ever waits for the network.
"""

import contextlib
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol
from uuid import UUID

import structlog

from edge_agent.overflow.access import AccessDesk, Ticket
from edge_agent.overflow.book import Book, Cost, Figure
from edge_agent.overflow.breaker import Breaker
from edge_agent.overflow.deadlines import Deadlines
from edge_agent.overflow.errand import Answered, Errand, TurnedAway, Verdict
from edge_agent.overflow.exchange import (
    Away,
    Declined,
    OutOfTime,
    Silent,
    ask,
    is_well,
    open_client,
)
from edge_agent.overflow.policy import why_never
from edge_agent.overflow.reading import read_judged
from processing.media.jpeg import BadPicture, encode_jpeg
from processing.pipeline.tiling import Crop, crops
from processing.wire.camera import DesiredCamera, Tiling
from processing.wire.messages import (
    BundleState,
)
from processing.wire.overflow import OverflowState
from processing.wire.tier import MAX_PICTURE_BYTES

N_IN_FLIGHT: Final = 8
"""Pictures on their way at once; more are not taken."""
_LOOK_S: Final = 0.25
_SAVE_EVERY_S: Final = 2.0
_CLOSE_S: Final = 1.0
_SPENT: Final = "the day's budget for the cloud is used up"
_MAX_BUNDLES: Final = 8
_OUTCOMES: Final[dict[str, Figure]] = {
    "refused": "n_refused", "late": "n_late", "failed": "n_failed", "over_budget": "n_over_budget",
}  # fmt: skip
_WHYS: Final[dict[str, Figure]] = {
    "saturated": "n_saturated", "doubtful": "n_doubtful", "always": "n_always",
}  # fmt: skip

log = structlog.get_logger()


class Cloud(Protocol):
    """What cameras ask. Any thread may call; nothing here waits."""

    def offer(self, errand: Errand) -> bool:
        """Take a frame, and settle its errand within its budget; False: it is not taken."""

    def judged_here(self, camera: DesiredCamera) -> None:
        """Count a frame that the agent's own network has judged."""

    def give_up(self) -> None:
        """Settle all errands now: the agent ends."""


class NoCloud:
    """There is none."""

    def offer(self, errand: Errand) -> bool:  # noqa: ARG002 - as the protocol has it
        return False

    def judged_here(self, camera: DesiredCamera) -> None:
        """Count nothing."""

    def give_up(self) -> None:
        """Nothing is under way."""


class TierCloud:
    """A `Cloud` that is an inference tier."""

    def __init__(
        self,
        access: AccessDesk,
        book: Book,
        *,
        on_report: Callable[[dict[UUID, OverflowState], tuple[BundleState, ...]], None],
    ) -> None:
        """`on_report` hears what was counted of each camera, and which bundles have judged."""
        self._access = access
        self._book = book
        self._on_report = on_report
        self._breaker = Breaker()
        self._lock = threading.Lock()
        self._errands: set[Errand] = set()
        self._n_carried = 0
        """By threads; an errand that is late may be settled and still be carried."""
        self._cameras: dict[UUID, DesiredCamera] = {}
        self._resting: dict[UUID, tuple[float, str]] = {}
        """Cameras whose pictures the tier will not have: until when (monotonic), and why."""
        self._bundles: dict[bytes, BundleState] = {}
        self._outbound: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._deadlines = Deadlines()
        self._client = open_client(N_IN_FLIGHT)
        self._threads: list[threading.Thread] = []

    # ------------------------------------------------------------ the cameras' threads

    def offer(self, errand: Errand) -> bool:
        """See `Cloud`."""
        camera = errand.camera
        with self._lock:
            self._meet(camera)
        if why_never(camera) or self._why_not_now(camera):
            return False
        if not self._has_left(camera):
            self._book.count(camera.camera_id, {"n_over_budget": 1})
            return False
        with self._lock:
            if self._n_carried >= N_IN_FLIGHT or self._closing.is_set():
                return False
            self._n_carried += 1
            self._errands.add(errand)
        self._deadlines.at(errand.deadline, partial(self._expire, weakref.ref(errand)))
        self._outbound.put(errand)
        return True

    def judged_here(self, camera: DesiredCamera) -> None:
        """See `Cloud`."""
        if camera.overflow.mode != "off":
            with self._lock:
                self._meet(camera)
            self._book.count(camera.camera_id, {"n_local": 1})

    def give_up(self) -> None:
        """See `Cloud`."""
        with self._lock:
            self._closing.set()
            errands = tuple(self._errands)
        for errand in errands:
            self._settle(errand, TurnedAway("failed"))

    def keep_only(self, camera_ids: Iterable[UUID]) -> None:
        """Forget all cameras but these."""
        wanted = frozenset(camera_ids)
        self._book.keep_only(wanted)
        with self._lock:
            for camera_id in self._cameras.keys() - wanted:
                del self._cameras[camera_id]
                self._resting.pop(camera_id, None)

    def close(self) -> None:
        """End; what is on its way is not waited for."""
        self.give_up()
        for _ in self._threads:
            self._outbound.put(None)
        deadline = time.monotonic() + _CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._deadlines.close()
        self._client.close()
        self._book.save(is_last=True)

    def _meet(self, camera: DesiredCamera) -> None:
        self._cameras[camera.camera_id] = camera
        if not self._threads and not self._closing.is_set():
            works = [self._take_care, *[self._carry] * N_IN_FLIGHT]
            self._threads = [
                threading.Thread(target=work, name="overflow", daemon=True) for work in works
            ]
            for thread in self._threads:
                thread.start()

    def _why_not_now(self, camera: DesiredCamera) -> str:
        """Return why the tier is not used now, whatever it would cost; empty if it is."""
        if reason := self._breaker.why_not():
            return reason
        if self._access.ticket() is None:
            return self._access.why_none()
        until, reason = self._resting.get(camera.camera_id, (0.0, ""))
        return reason if time.monotonic() < until else ""

    # ------------------------------------------------------------ the threads that carry pictures

    def _carry(self) -> None:
        while (errand := self._outbound.get()) is not None:
            try:
                if not errand.is_settled:
                    self._bring(errand)
            finally:
                del errand  # its frame, which nobody needs any more
                with self._lock:
                    self._n_carried -= 1

    def _bring(self, errand: Errand) -> None:
        ticket = self._access.ticket()
        if ticket is None:
            return self._settle(errand, TurnedAway("refused"))
        frame = errand.exposure.frame
        [crop] = crops(frame.width, frame.height, errand.exposure.region, Tiling())
        camera, policy = errand.camera, errand.camera.overflow
        try:
            jpeg = encode_jpeg(
                crop.cut(errand.exposure.covered()),
                max_width=policy.max_width,
                quality=policy.jpeg_quality,
            )
        except BadPicture:
            return self._settle(errand, TurnedAway("failed"))
        cost = Cost(len(jpeg), ticket.micros)
        if len(jpeg) > MAX_PICTURE_BYTES:
            return self._settle(errand, TurnedAway("failed"))
        if not self._book.spend(camera.camera_id, policy, cost):
            return self._settle(errand, TurnedAway("over_budget"))
        if errand.is_settled:  # the disk, or the picture, took too long
            return self._book.give_back(camera.camera_id, cost)
        verdict, is_paid = self._ask(errand, ticket, crop, jpeg)
        paid = cost if is_paid else Cost(cost.n_bytes)
        self._book.give_back(camera.camera_id, cost.less(paid))
        self._book.count(camera.camera_id, {"n_bytes": paid.n_bytes, "micros": paid.micros})
        return self._settle(errand, verdict)

    def _ask(self, errand: Errand, ticket: Ticket, crop: Crop, jpeg: bytes) -> tuple[Verdict, bool]:
        """Return what the tier says, and whether that costs money."""
        camera, begun = errand.camera, time.monotonic()
        try:
            judged = ask(
                self._client, ticket, jpeg,
                model=camera.overflow.model, sticky=camera.camera_id.hex, left_s=errand.left_s,
            )  # fmt: skip
        except OutOfTime:
            return TurnedAway("late"), False
        except Silent as error:
            # Others were answered meanwhile: then it is not the tier that was slow.
            if not self._breaker.has_answered_since(begun):
                self._lose(error)
            return TurnedAway("late"), False
        except Away as error:
            self._lose(error)
            return TurnedAway("failed"), False
        except Declined as error:
            self._breaker.answered()
            self._heed(error, camera)
            return TurnedAway("refused"), False
        self._breaker.answered()
        read = read_judged(judged, crop, errand.labels, bundle_of=ticket.bundle)
        self._meet_bundle(read.answered.tongue.bundle, ticket)
        if read.n_unknown:
            self._book.count(camera.camera_id, {"n_unknown": read.n_unknown})
        return read.answered, True

    def _lose(self, error: Away) -> None:
        if not self._closing.is_set():
            log.info("overflow.away", reason=str(error))
            self._breaker.fail(str(error))

    def _heed(self, declined: Declined, camera: DesiredCamera) -> None:
        if declined.concerns_all:
            self._breaker.rest(declined.rest_s, str(declined))
        else:
            until = time.monotonic() + declined.rest_s
            with self._lock:
                self._resting[camera.camera_id] = until, str(declined)

    def _meet_bundle(self, digest: bytes, ticket: Ticket) -> None:
        known = ticket.bundle(digest)
        if known is not None and digest not in self._bundles:
            with self._lock:
                if len(self._bundles) >= _MAX_BUNDLES:
                    del self._bundles[next(iter(self._bundles))]
                self._bundles[digest] = known

    def _expire(self, reference: "weakref.ref[Errand]") -> None:
        """Turn away what is late; what was settled before is not kept in memory until then."""
        errand = reference()
        if errand is not None:
            self._settle(errand, TurnedAway("late"))

    def _settle(self, errand: Errand, verdict: Verdict) -> None:
        if not errand.claim():
            return
        with self._lock:
            self._errands.discard(errand)
        camera_id = errand.camera.camera_id
        if isinstance(verdict, Answered):
            figures: dict[Figure, int] = {"n_cloud": 1, _WHYS[errand.why]: 1}
        elif verdict.kind == "over_budget":
            figures = {"n_over_budget": 1}
        else:
            figures = {_OUTCOMES[verdict.kind]: 1, _WHYS[errand.why]: 1}
        self._book.count(camera_id, figures)
        errand.tell(verdict)

    # ------------------------------------------------------------ the caretaker's thread

    def _take_care(self) -> None:
        saved = time.monotonic()
        last: object = None
        while not self._closing.wait(_LOOK_S):
            self._probe()
            if time.monotonic() - saved >= _SAVE_EVERY_S:
                saved = time.monotonic()
                self._book.save()
            reasons = {key: self.why_not(camera) for key, camera in self._known().items()}
            told = self._book.states(reasons), tuple(self._bundles.values())
            if told != last:
                last = told
                self._on_report(*told)

    def why_not(self, camera: DesiredCamera) -> str:
        """Return why the cloud is not used for a camera just now, in words; empty if it is."""
        if reason := why_never(camera) or self._why_not_now(camera):
            return reason
        return "" if self._has_left(camera) else _SPENT

    def _has_left(self, camera: DesiredCamera) -> bool:
        """Return whether another picture is within the day's budget."""
        ticket = self._access.ticket()
        cost = Cost(1, 0 if ticket is None else ticket.micros)
        return self._book.has_left(camera.camera_id, camera.overflow, cost)

    def _known(self) -> dict[UUID, DesiredCamera]:
        with self._lock:
            return dict(self._cameras)

    def _probe(self) -> None:
        ticket = self._access.ticket()
        if ticket is not None and self._breaker.is_probe_due:
            with contextlib.suppress(RuntimeError):  # the client is closed already
                self._breaker.probed(is_well=is_well(self._client, ticket.url))
