"""One tiny bundle for the tests that only read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from tests.processing.tiny_bundle import make_tiny_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny bundle."""
    return Bundle.open(make_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny"))


@pytest.fixture
def engine(bundle: Bundle) -> Iterator[Engine]:
    """An engine of two requests on the tiny bundle."""
    engine = Engine.open(bundle, n_requests=2)
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny bundle's folder, for tests that damage it."""
    return make_tiny_bundle(tmp_path / "tiny")
