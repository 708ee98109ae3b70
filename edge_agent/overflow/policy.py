"""Whether a frame may go to the cloud at all, and whether it should: decisions without memory."""

import numpy as np

from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera


def why_never(camera: DesiredCamera) -> str:
    """Return why nothing of this camera goes to the cloud, in words; empty if it may."""
    if camera.overflow.mode == "off":
        return "the cloud is switched off for this camera"
    if camera.privacy.hides_faces:
        # Where faces are is known only once a network has looked, and then the frame is judged.
        return "faces are hidden: frames of this camera stay on the agent"
    return ""


def is_in_doubt(found: Detections, camera: DesiredCamera, labels: tuple[str, ...]) -> bool:
    """Return whether anything of the wanted classes lies between sure and surely not."""
    low, high = camera.samples.low_score, camera.samples.high_score
    between = (found.scores >= low) & (found.scores <= high)
    if camera.labels:
        wanted = [number for number, name in enumerate(labels) if name in camera.labels]
        between &= np.isin(found.labels, wanted)
    return bool(between.any())
