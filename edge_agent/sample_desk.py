"""One camera's frames that are kept for learning: chosen, embedded, developed and stored."""

from functools import partial
from uuid import UUID

from edge_agent.darkroom import Developed
from edge_agent.inspection import Inspection
from edge_agent.workplace import Workplace
from processing.inference.detector import Embedding
from processing.pipeline.dissent import comparable, dissent
from processing.pipeline.privacy import Exposure
from processing.pipeline.samples import Keep, Turn, decide
from processing.pipeline.to_wire import pack_detections
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera
from processing.wire.messages import Disagreement, SampleOffered


class SampleDesk:
    """Called by the answers' thread; nothing here waits."""

    def __init__(self, camera_id: UUID, place: Workplace) -> None:
        self._camera_id = camera_id
        self._place = place
        self._turn: Turn | None = None

    def consider(
        self,
        camera: DesiredCamera,
        inspection: Inspection,
        exposure: Exposure,
        tracked: Detections,
    ) -> None:
        """Keep the frame if it is worth it, and if its turn has come."""
        differs = _dissent(camera, inspection)
        keep, self._turn = decide(
            camera.samples,
            self._turn,
            tracked,
            at=exposure.frame.captured_at,
            dice=self._place.around.dice,
            is_disputed=differs is not None,
        )
        if keep is None:
            return
        if keep.reason == "random":
            differs = None  # whatever is in it, it was not kept for that
        told = tracked[tracked.scores >= camera.samples.low_score]
        develop = partial(self._develop, inspection, exposure, told, keep, differs)
        # What the cloud has judged is told with its bundle, which has embeddings of its own.
        is_asked = inspection.is_judged_here and self._place.embedder.ask(
            inspection.network.engine, exposure.covered, develop
        )
        if not is_asked:
            develop(None)

    def _develop(
        self,
        inspection: Inspection,
        exposure: Exposure,
        tracked: Detections,
        keep: Keep,
        differs: Disagreement | None,
        embedding: Embedding | None,
    ) -> None:
        """Have the picture made and stored; from any thread."""
        frame, tongue = exposure.frame, inspection.tongue
        packed = pack_detections(tongue.tell(tracked), width=frame.width, height=frame.height)

        def append(developed: Developed) -> None:
            sample = SampleOffered(
                camera_id=self._camera_id,
                captured_at=frame.captured_at,
                bundle=tongue.bundle,
                detections=packed,
                reason=keep.reason,
                score=keep.score,
                width=developed.width,
                height=developed.height,
                jpeg=developed.jpeg,
                embedding=b"" if embedding is None else embedding.astype("<f2").tobytes(),
                disagreement=differs,
            )
            self._place.append(sample)

        self._place.darkroom.keep(self._camera_id, exposure, append)


def _dissent(camera: DesiredCamera, inspection: Inspection) -> Disagreement | None:
    """Return how far the cloud says otherwise than the network, if both have looked."""
    verdicts = inspection.both_verdicts() if camera.overflow.mode == "doubtful" else None
    if verdicts is None:
        return None
    own, cloud = (
        comparable(
            found,
            inspection.frame,
            camera,
            labels=inspection.network.labels,
            known=verdicts[1].known,
        )
        for found in (verdicts[0], verdicts[1].found)
    )
    return dissent(own, cloud)
