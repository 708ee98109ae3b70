"""Which version judges an inquiry now, given what is wanted and what is ready."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from processing.tier.contract import (
    Capacity,
    Inquiry,
    ModelStatus,
    Overloaded,
    ServedVersion,
    Serving,
    UnknownModel,
)
from processing.tier.serving.routing import choose_version
from processing.tier.serving.shelf import Shelf, Version

LOADING_RETRY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where an inquiry goes."""

    digest: str
    shadows: tuple[str, ...]
    """Digests of those that are to judge a copy."""


class Routes:
    """What is wanted, and for models of which nothing is ready yet, what was before."""

    def __init__(self, shelf: Shelf) -> None:
        """Route to what is on this shelf."""
        self._shelf: Final = shelf
        self._wanted: dict[str, Serving] = {}
        self._before: dict[str, Serving] = {}
        self._models: dict[str, str] = {}
        """Under which model a version was wanted last, by digest; of those on the shelf."""
        self._numbers = itertools.count()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the digests of all versions that are wanted, each once."""
        return tuple({v.digest: None for s in self._wanted.values() for v in s.versions})

    def want(self, wanted: Sequence[Serving]) -> None:
        """Route to these from now on: at once where a version is ready, else when one is."""
        now = {model: self._current(model) for model in self._wanted}
        self._before = {model: serving for model, serving in now.items() if serving is not None}
        self._wanted = {serving.model: serving for serving in wanted}
        for model, serving in self._wanted.items():
            self._models |= dict.fromkeys((version.digest for version in serving.versions), model)

    def settle(self) -> set[str]:
        """Forget what was before where what is wanted answers; return which digests are needed.

        Where it does not, because all of it failed, what was before goes on.
        """
        for model in [model for model in self._before if self._is_answering(model)]:
            del self._before[model]
        before = {v.digest for s in self._before.values() for v in s.versions}
        on_shelf = self._shelf.versions
        self._models = {digest: at for digest, at in self._models.items() if digest in on_shelf}
        return before.union(self.wanted)

    def choose(self, inquiry: Inquiry) -> Route:
        """Return where it goes. Raise `UnknownModel`, or `Overloaded` while it is being loaded."""
        wanted = self._wanted.get(inquiry.model)
        if wanted is None:
            raise UnknownModel(f"no model is served as {inquiry.model[:100]!r}")
        if inquiry.version:
            return Route(self._named(wanted, inquiry.version), ())
        serving = self._current(inquiry.model) or wanted
        ready = [version for version in serving.versions if self._is_ready(version)]
        sticky = inquiry.sticky or f"#{next(self._numbers)}"
        chosen = choose_version(inquiry.model, sticky, ready)
        if chosen is None:
            raise self._why_not(wanted.model, wanted.versions)
        shadows = tuple(version.digest for version in ready if version.is_shadow)
        return Route(chosen.digest, shadows)

    def capacities(self) -> list[Capacity]:
        """Return how full the models are that can answer now."""
        found = []
        for model in self._wanted:
            serving = self._current(model)
            if serving is not None:
                found.append(self._capacity(serving))
        return found

    def statuses(self) -> list[ModelStatus]:
        """Return how each wanted version is, and those that are not put away yet."""
        listed = [
            _status(model, self._shelf.versions.get(version.digest, Version(version.digest)))
            for model, serving in self._wanted.items()
            for version in serving.versions
        ]
        wanted = set(self.wanted)
        leaving = [
            _status(self._models.get(digest, ""), version)
            for digest, version in self._shelf.versions.items()
            if digest not in wanted
        ]
        return listed + leaving

    def _current(self, model: str) -> Serving | None:
        """Return what answers for a model now."""
        for serving in (self._wanted.get(model), self._before.get(model)):
            if serving is not None and any(self._is_routed(each) for each in serving.versions):
                return serving
        return None

    def _is_answering(self, model: str) -> bool:
        wanted = self._wanted.get(model)
        return wanted is None or any(self._is_routed(version) for version in wanted.versions)

    def _named(self, wanted: Serving, digest: str) -> str:
        named = [version for version in wanted.versions if version.digest == digest]
        if not named:
            raise UnknownModel(f"no version {digest[:100]!r} of {wanted.model} is served")
        if not self._is_ready(named[0]):
            raise self._why_not(wanted.model, named)
        return digest

    def _why_not(self, model: str, versions: Sequence[ServedVersion]) -> UnknownModel | Overloaded:
        known = [self._shelf.versions.get(version.digest) for version in versions]
        failed = [version.reason for version in known if version and version.state == "failed"]
        if len(failed) == len(versions):
            return UnknownModel(f"{model} cannot be served: {failed[0]}")
        if all(self._is_ready(version) for version in versions):
            return UnknownModel(f"no version of {model} is given any pictures")
        return Overloaded(f"{model} is being loaded", retry_after_s=LOADING_RETRY_S)

    def _is_ready(self, version: ServedVersion) -> bool:
        return self._shelf.ready(version.digest) is not None

    def _is_routed(self, version: ServedVersion) -> bool:
        return version.weight > 0.0 and not version.is_shadow and self._is_ready(version)

    def _capacity(self, serving: Serving) -> Capacity:
        """Return the versions' together: they share a machine, so times are averaged by weight."""
        n_waiting, weight, wait_s, turn_s = 0, 0.0, 0.0, 0.0
        for version in serving.versions:
            batcher = self._shelf.ready(version.digest)
            if batcher is not None and self._is_routed(version):
                n_waiting += batcher.n_waiting
                weight += version.weight
                wait_s += version.weight * batcher.wait_s
                turn_s += version.weight * batcher.times.turn_s
        return Capacity(
            model=serving.model,
            n_waiting=n_waiting,
            wait_ms=1000.0 * wait_s / weight,
            pictures_per_s=weight / turn_s,
        )


def _status(model: str, version: Version) -> ModelStatus:
    manifest = version.manifest
    return ModelStatus(
        model=model,
        digest=version.digest,
        name=f"{manifest.name} {manifest.version}" if manifest else version.digest,
        state=version.state,
        reason=version.reason,
        memory_bytes=version.memory_bytes,
        labels=manifest.labels if manifest else (),
        input_width=manifest.input.width if manifest else 0,
        input_height=manifest.input.height if manifest else 0,
    )
