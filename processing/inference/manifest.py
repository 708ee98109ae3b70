"""What a bundle says of itself: the form of `manifest.json`, format 1.

Additive within a format: readers ignore fields they do not know; a new field has a default.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from processing.inference.heads.registry import Head
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds

FORMAT: Final = 1
MAX_MANIFEST_BYTES: Final = 1024 * 1024
MAX_FILE_BYTES: Final = 2 * 1024**3
MAX_FILES: Final = 32
MAX_LABELS: Final = 4096

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=20_000)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
RelativePath = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=200)
]
"""Forward slashes; no part starts with a dot, so that none leaves the folder."""

Runtime: TypeAlias = Literal["openvino", "onnx"]
Precision: TypeAlias = Literal["fp32", "fp16", "int8"]


class File(Struct, frozen=True, kw_only=True):
    """One file of the bundle, and how to know that it is whole."""

    path: RelativePath
    size: Annotated[int, Meta(ge=0, le=MAX_FILE_BYTES)]
    sha256: Sha256


class Artifact(Struct, frozen=True, kw_only=True):
    """The network in the form of one runtime. All artifacts of a bundle take the same input."""

    runtime: Runtime
    precision: Precision
    files: Annotated[tuple[File, ...], Meta(min_length=1, max_length=8)]
    """The first is the one to open; others (weights) lie beside it."""

    @property
    def title(self) -> str:
        return f"{self.runtime}-{self.precision}"


class Licence(Struct, frozen=True, kw_only=True):
    """Under which terms (a part of) the bundle may be used."""

    spdx: Name
    covers: Name
    file: File


class Provenance(Struct, frozen=True, kw_only=True):
    """Where the network comes from and what was done to it."""

    source: Name
    """As a package URL where there is one."""
    integrity: Text = ""
    """Of the package, as its registry writes it."""
    inputs: Annotated[tuple[File, ...], Meta(max_length=MAX_FILES)] = ()
    """The files taken from it; their paths are the package's."""
    steps: Annotated[tuple[Text, ...], Meta(max_length=MAX_FILES)] = ()
    tools: dict[Name, Name] = {}
    """Name and version of what did the steps."""


class Metric(Struct, frozen=True, kw_only=True):
    """One figure, and how far to trust it."""

    name: Name
    value: float
    artifact: Name
    """The `title` of the one that was measured."""
    dataset: Name
    origin: Name
    """Who says so: `measured at build`, `published by ...`."""


class Manifest(Struct, frozen=True, kw_only=True):
    """All that the product knows of a network; whatever is not said here is not assumed."""

    format: Literal[1]
    name: Name
    version: Name
    task: Literal["detection"]
    labels: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=MAX_LABELS)]
    input: InputSpec
    head: Head
    thresholds: Thresholds = Thresholds()
    artifacts: Annotated[tuple[Artifact, ...], Meta(min_length=1, max_length=8)]
    licences: Annotated[tuple[Licence, ...], Meta(min_length=1, max_length=8)]
    provenance: Provenance
    metrics: Annotated[tuple[Metric, ...], Meta(max_length=100)] = ()

    @property
    def files(self) -> tuple[File, ...]:
        """Every file of the bundle, the manifest itself and its signature apart."""
        return (
            *(file for artifact in self.artifacts for file in artifact.files),
            *(licence.file for licence in self.licences),
        )

    def artifact(self, runtime: Runtime, precision: Precision | None = None) -> Artifact | None:
        """Return the first artifact of this runtime (and precision), if there is one."""
        for artifact in self.artifacts:
            if artifact.runtime == runtime and precision in (None, artifact.precision):
                return artifact
        return None
