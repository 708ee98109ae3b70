"""From somebody's own network to a bundle: taken over, measured, quantised, tried out."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from msgspec.structs import replace

from deploy.bundle_folder import whole_folder, write_manifest
from deploy.bundle_metrics import CocoSource, coco_metrics, measure_artifact
from deploy.int8_form import add_int8
from deploy.model_kinds import KINDS
from deploy.own_model import ModelUnfit, OwnModel, SourceUnusable, take_over
from processing.evaluation.gate import LosesTooMuch
from processing.exchange.coco import NotCoco
from processing.inference.bundle import MANIFEST, BadBundle, Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.inference.manifest import Manifest
from processing.inference.network import RuntimeRefused
from processing.media.colour import frame_from_bgr

_START: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Built:
    """The bundle that now stands."""

    bundle: Bundle
    int8_refused: str | None
    """Why it has no INT8 form, where one was wanted."""


def build_own_bundle(
    model: OwnModel,
    *,
    out: Path,
    coco: CocoSource | None = None,
    is_int8_wanted: bool = False,
    on_step: Callable[[str], None],
) -> Built:
    """Write the bundle to folder `out`, whole or not at all; raise `CannotBundle`.

    With `coco` it is measured. INT8 needs that: it goes into the bundle only if it is nearly as
    accurate as what it was made from; else the bundle is written without.
    """
    if is_int8_wanted and coco is None:
        raise SourceUnusable("INT8 is kept only where it is measured: give annotated pictures")
    _refuse_to_overwrite(out)
    try:
        with whole_folder(out) as folder:
            on_step("reading the network")
            manifest = take_over(model, folder)
            write_manifest(folder, manifest)
            _try_out(folder)
            refused = None
            if coco is not None:
                on_step("measuring")
                manifest, refused = _measured(
                    folder, manifest, model.kind, coco, is_int8_wanted, on_step
                )
                write_manifest(folder, manifest)
                _try_out(folder)
    except (InferenceFailed, RuntimeRefused, BadBundle) as error:
        raise ModelUnfit(str(error)) from error
    except (NotCoco, OSError) as error:
        raise SourceUnusable(str(error)) from error
    return Built(Bundle.open(out), refused)


def _measured(
    folder: Path,
    manifest: Manifest,
    kind: str,
    coco: CocoSource,
    is_int8_wanted: bool,  # noqa: FBT001  # named by its caller's own argument
    on_step: Callable[[str], None],
) -> tuple[Manifest, str | None]:
    """Return the manifest with what was measured, and why INT8 was refused if so."""
    (source,) = manifest.artifacts
    full = measure_artifact(Bundle.open(folder), source, coco)
    manifest = replace(manifest, metrics=tuple(coco_metrics(full, source, coco)))
    if not is_int8_wanted:
        return manifest, None
    careful = KINDS[kind].careful
    try:
        return (
            add_int8(folder, manifest, full=full, careful=careful, coco=coco, on_step=on_step),
            None,
        )
    except LosesTooMuch as refusal:
        return manifest, str(refusal)


def _refuse_to_overwrite(out: Path) -> None:
    is_something_else = out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).exists()
    if is_something_else or (out.exists() and not out.is_dir()):
        raise SourceUnusable(f"{out} holds something else than a bundle, and is left as it is")


def _try_out(folder: Path) -> None:
    """Look at a picture with every artifact; raise `BadBundle` or `InferenceFailed`."""
    bundle = Bundle.open(folder)
    spec = bundle.manifest.input
    noise = np.random.default_rng(0).integers(0, 256, (spec.height, spec.width, 3), np.uint8)
    frame = frame_from_bgr(noise, captured_at=_START)
    for artifact in bundle.manifest.artifacts:
        one = bundle.measured_with(artifact, score_floor=bundle.manifest.thresholds.score_floor)
        with closing(Engine.open(one, n_requests=1)) as engine:
            engine.detect(frame)
