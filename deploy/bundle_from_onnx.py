"""Make a bundle of your own network: `python -m deploy.bundle_from_onnx --model FILE ...`.

The file is ONNX or TensorFlow Lite. What comes out has been opened, compiled and run; with --images
and --annotations (COCO) it has been measured too, and --int8 adds the INT8 form if that loses at
most one point of mAP. Exit status: 0, done; 1, nothing written; 3, written, but without INT8.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.bundle_metrics import CocoSource
from deploy.model_kinds import KINDS
from deploy.own_bundle import Built, build_own_bundle
from deploy.own_model import CannotBundle, OwnModel

INT8_REFUSED: Final = 3


def main(arguments: list[str] | None = None) -> int:
    """Build the bundle; return the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.images is None) != (given.annotations is None):
        parser.error("--images and --annotations go together")
    if given.int8 and given.images is None:
        parser.error("--int8 needs --images and --annotations: what is not measured is not kept")
    coco = CocoSource(given.images, given.annotations) if given.images else None
    try:
        with Console(stderr=True).status(given.name) as status:
            built = build_own_bundle(
                _model(given),
                out=given.out,
                coco=coco,
                is_int8_wanted=given.int8,
                on_step=lambda step: status.update(f"{given.name}: {step}"),
            )
    except CannotBundle as error:
        print(f"{given.name}: {error}", file=sys.stderr)
        return 1
    return _report(built)


def _report(built: Built) -> int:
    manifest = built.bundle.manifest
    titles = ", ".join(artifact.title for artifact in manifest.artifacts)
    print(f"{manifest.name} {manifest.version}: {built.bundle.path} ({titles})")
    for metric in manifest.metrics:
        print(f"  {metric.artifact} {metric.name} {metric.value:.3f} on {metric.dataset}")
    if built.int8_refused is None:
        return 0
    print(f"{manifest.name}: no INT8: {built.int8_refused}", file=sys.stderr)
    return INT8_REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deploy.bundle_from_onnx", description=__doc__)
    add = parser.add_argument
    add("--model", type=Path, required=True, help=".onnx or .tflite, nothing suppressed inside")
    add("--kind", choices=sorted(KINDS), required=True)
    add("--labels", type=Path, required=True, help="text, a name a line, in the network's order")
    add("--name", required=True)
    add("--version", required=True)
    add("--licence", required=True, help="of the network, as SPDX writes it: Apache-2.0")
    add("--licence-file", type=Path, help="its text")
    add("--out", type=Path, required=True, help="the folder that becomes the bundle")
    add("--images", type=Path, help="folder of COCO pictures to measure and calibrate on")
    add("--annotations", type=Path, help="their instances JSON")
    add("--int8", action="store_true", help="add the INT8 form, if it is accurate enough")
    look = parser.add_argument_group("how the network was trained, where that is unusual")
    look.add_argument("--colour", choices=("bgr", "rgb"))
    look.add_argument(
        "--mean", type=_three, help="of values 0..255, in that order: 103.5,116.3,123.7"
    )
    look.add_argument("--scale", type=_three, help="as --mean; by which is divided")
    look.add_argument("--resize", choices=("letterbox-center", "letterbox-topleft", "stretch"))
    look.add_argument("--pad", type=int, help="grey of a letterbox's bars, 0..255")
    return parser


def _three(text: str) -> tuple[float, float, float]:
    first, second, third = (float(number) for number in text.split(","))
    return first, second, third


def _model(given: argparse.Namespace) -> OwnModel:
    look = {name: getattr(given, name) for name in ("colour", "mean", "scale", "resize", "pad")}
    return OwnModel(
        network=given.model,
        kind=given.kind,
        labels=given.labels,
        name=given.name,
        version=given.version,
        licence=given.licence,
        licence_text=given.licence_file,
        look={name: value for name, value in look.items() if value is not None},
    )


if __name__ == "__main__":
    sys.exit(main())
