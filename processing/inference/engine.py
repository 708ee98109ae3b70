"""Runs a bundle on frames."""

import queue
import threading
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from processing.inference.bundle import Bundle, BundleUnfit
from processing.inference.canvas import Canvas
from processing.inference.detector import Embedding, InferenceFailed, OnDone
from processing.inference.embedding import normalised
from processing.inference.heads.decoder import Decoder, Unfit
from processing.inference.manifest import Artifact, Manifest
from processing.inference.network import Compilation, Mode, Network, RuntimeRefused
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import areas

log = structlog.get_logger()


class Engine:
    """An open bundle. A `Detector`: all methods may be called from any thread.

    It has a fixed number of slots, each with its own request and its own input memory, so that
    nothing OpenVINO reads is ever freed or overwritten under it. A frame holds one slot until it is
    judged and no queue forms: when every slot is taken, `submit` says so.
    """

    def __init__(self, bundle: Bundle, network: Network, decoder: Decoder) -> None:
        """Use `open`."""
        self.bundle: Final = bundle
        self.device: Final = network.device
        self.n_requests: Final = network.n_requests
        self._has_embedding = network.has_embedding
        self._idle: queue.SimpleQueue[_Slot | None] = queue.SimpleQueue()
        """None, once closed: whoever finds it puts it back."""
        self._slots = [_Slot(bundle.manifest, network, decoder) for _ in range(self.n_requests)]
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), name="engine", daemon=True)
            for slot in self._slots
        ]
        for slot, thread in zip(self._slots, self._threads, strict=True):
            self._idle.put(slot)
            thread.start()
        self._answered = threading.Condition()
        self._n_unanswered = 0
        self._is_closed = False

    @classmethod
    def open(
        cls,
        bundle: Bundle,
        *,
        device: str = "CPU",
        mode: Mode = "throughput",
        n_requests: int | None = None,
        cache_dir: Path | None = None,
    ) -> "Engine":
        """Compile the bundle's best artifact and return it, ready to run.

        `cache_dir` keeps compiled networks, which makes the next start several times faster.
        Raise `BundleUnfit`.
        """
        manifest = bundle.manifest
        decoder = manifest.head.decoder(
            manifest.input, n_labels=len(manifest.labels), thresholds=manifest.thresholds
        )
        how = Compilation(device, mode, n_requests, cache_dir)
        try:
            network = Network(bundle, best_artifact(manifest), how)
            decoder.check(network.outputs)
            return cls(bundle, network, decoder)
        except (RuntimeRefused, Unfit) as error:
            message = f"bundle {manifest.name} {manifest.version} cannot run on {device}: {error}"
            raise BundleUnfit(message) from error

    def detect(self, frame: Frame) -> Detections:
        """See `Detector`."""
        slot = self._wait_for_slot()
        try:
            return slot.run(frame)
        finally:
            self._idle.put(slot)

    def embed(self, frame: Frame) -> Embedding | None:
        """See `Detector`."""
        if not self._has_embedding:
            return None
        slot = self._wait_for_slot()
        try:
            return slot.embed(frame)
        finally:
            self._idle.put(slot)

    def _wait_for_slot(self) -> "_Slot":
        """Return a slot, to be put back by the caller. Raise `InferenceFailed` when closed."""
        slot = self._idle.get()
        if slot is None:
            self._idle.put(None)
            raise InferenceFailed("the engine is closed")
        return slot

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        """See `Detector`."""
        try:
            slot = self._idle.get_nowait()
        except queue.Empty:
            return False
        if slot is None:
            self._idle.put(None)
            return False
        with self._answered:
            self._n_unanswered += 1
        slot.waiting.put((frame, on_done))
        return True

    def wait(self) -> None:
        """See `Detector`."""
        with self._answered:
            self._answered.wait_for(lambda: self._n_unanswered == 0)

    def close(self) -> None:
        """See `Detector`."""
        with self._answered:
            if self._is_closed:
                return
            self._is_closed = True
        for _ in range(self.n_requests):
            self._idle.get()  # waits for whoever holds it
        self._idle.put(None)
        for slot in self._slots:
            slot.waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self, slot: "_Slot") -> None:
        while (work := slot.waiting.get()) is not None:
            frame, on_done = work
            answer = _answer(slot, frame)
            self._idle.put(slot)  # first: whoever hears of the answer may come with the next frame
            try:
                on_done(answer)
            except Exception:
                # A supervisor: a caller's mistake must cost one answer, not a slot for good.
                log.exception("engine.callback_failed")
            with self._answered:
                self._n_unanswered -= 1
                self._answered.notify_all()


class _Slot:
    """All that one frame in flight needs."""

    def __init__(self, manifest: Manifest, network: Network, decoder: Decoder) -> None:
        self._canvas = Canvas(manifest.input)
        self._request = network.request(self._canvas, decoder.outputs)
        self._decode = decoder
        self.waiting: queue.SimpleQueue[tuple[Frame, OnDone] | None] = queue.SimpleQueue()
        """What its thread is to look at: one frame, as whoever puts it there has the slot."""

    def run(self, frame: Frame) -> Detections:
        """Return what is in the frame; raise `InferenceFailed`."""
        placement = self._canvas.draw(frame)
        try:
            found = self._decode(self._request.run())
        except RuntimeRefused as error:
            raise InferenceFailed(str(error)) from error
        boxes = placement.to_picture(found.xyxy)
        return replace(found, xyxy=boxes)[areas(boxes) > 0.0]

    def embed(self, frame: Frame) -> Embedding:
        """Return the frame's embedding; raise `InferenceFailed`."""
        self._canvas.draw(frame)
        try:
            return normalised(self._request.embed())
        except RuntimeRefused as error:
            raise InferenceFailed(str(error)) from error


def _answer(slot: _Slot, frame: Frame) -> Detections | InferenceFailed:
    try:
        return slot.run(frame)
    except InferenceFailed as failure:
        return failure


def best_artifact(manifest: Manifest) -> Artifact:
    """Return what runs fastest on OpenVINO: INT8, then any of its own format, then ONNX."""
    found = (
        manifest.artifact("openvino", "int8")
        or manifest.artifact("openvino")
        or manifest.artifact("onnx")
    )
    if found is None:
        raise BundleUnfit(f"bundle {manifest.name} has no artifact that OpenVINO reads")
    return found
