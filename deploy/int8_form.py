"""Adds the INT8 form to a bundle in the making, if it is accurate enough."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from msgspec.structs import replace

from deploy.bundle_folder import artifact_of, write_manifest
from deploy.bundle_metrics import CocoSource, coco_metrics, measure_artifact
from processing.evaluation.accuracy import Accuracy
from processing.evaluation.gate import LosesTooMuch, first_accurate
from processing.evaluation.on_coco import read_frame
from processing.exchange.coco import read_coco
from processing.inference.bundle import Bundle
from processing.inference.manifest import Artifact, Manifest
from processing.inference.quantize import PLAIN, Recipe, quantize
from processing.vision.frame import Frame

N_CALIBRATION: Final = 128
_INT8: Final = ("network-int8.xml", "network-int8.bin")


def add_int8(
    folder: Path,
    manifest: Manifest,
    *,
    full: Accuracy,
    careful: Recipe,
    coco: CocoSource,
    on_step: Callable[[str], None],
) -> Manifest:
    """Return the manifest with the INT8 form, whose files are now in the folder.

    Raise `LosesTooMuch` (and leave no file), or what measuring raises. `full` is the accuracy of
    the manifest's only artifact, from which INT8 is made.
    """
    source = folder / manifest.artifacts[0].files[0].path
    frames = _calibration(coco)

    def forms() -> Iterator[tuple[Recipe, Accuracy]]:
        for recipe in (PLAIN, careful):
            on_step(f"quantising ({recipe}) on {len(frames)} pictures")
            target = folder / _INT8[0]
            quantize(source, target, spec=manifest.input, frames=frames, recipe=recipe)
            small = artifact_of(folder, "openvino", "int8", *_INT8)
            on_step(f"measuring INT8 ({recipe})")
            yield recipe, _measure(folder, manifest, small, coco)

    try:
        recipe, accuracy = first_accurate(full, forms())
    except LosesTooMuch:
        for name in _INT8:
            (folder / name).unlink()
        raise
    small = artifact_of(folder, "openvino", "int8", *_INT8)
    return _with_int8(manifest, small, recipe, len(frames), accuracy, coco)


def _measure(folder: Path, manifest: Manifest, small: Artifact, coco: CocoSource) -> Accuracy:
    write_manifest(folder, replace(manifest, artifacts=(small, *manifest.artifacts)))
    return measure_artifact(Bundle.open(folder), small, coco)


def _with_int8(
    manifest: Manifest,
    small: Artifact,
    recipe: Recipe,
    n_frames: int,
    accuracy: Accuracy,
    coco: CocoSource,
) -> Manifest:
    provenance = manifest.provenance
    kept = f", leaving alone {', '.join(recipe.left_alone)}" if recipe.left_alone else ""
    step = (
        f"to OpenVINO INT8: post-training quantisation, preset mixed{kept}, on "
        f"{n_frames} pictures of {coco.annotations.name}"
    )
    return replace(
        manifest,
        artifacts=(small, *manifest.artifacts),
        metrics=(*manifest.metrics, *coco_metrics(accuracy, small, coco)),
        provenance=replace(
            provenance,
            steps=(*provenance.steps, step),
            tools={**provenance.tools, "nncf": version("nncf")},
        ),
    )


def _calibration(coco: CocoSource) -> list[Frame]:
    """Return pictures spread over all there are."""
    images = read_coco(coco.annotations.read_bytes()).images
    chosen = np.unique(np.linspace(0, len(images) - 1, N_CALIBRATION).astype(np.intp))
    return [read_frame(coco.images, images[index].file_name) for index in chosen]
