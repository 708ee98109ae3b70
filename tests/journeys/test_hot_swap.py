"""Another version of the model takes over while the agent runs; nothing waits or is doubled."""

import shutil
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import pytest

from deploy.default_bundle import default_bundle_path
from processing.inference.bundle import MANIFEST, Bundle
from tests.journeys.ledger import _query
from tests.journeys.processes import Agent, Hub, wait_for
from tests.journeys.test_delivery import assert_books_agree

LONGEST_GAP: Final = timedelta(seconds=2)


class Judged(NamedTuple):
    """A frame, and who judged it."""

    captured_at: datetime
    digest: str


def judged(hub: Hub) -> list[Judged]:
    """Return all results that the hub has, in order of their frames."""
    rows = _query(
        hub,
        "SELECT captured_at, digest FROM results_result"
        " JOIN fleet_bundle ON fleet_bundle.id = bundle_id ORDER BY captured_at",
    )
    return [
        Judged(at if isinstance(at, datetime) else datetime.fromisoformat(at), digest)
        for at, digest in rows
    ]


def has_judged(hub: Hub, digest: str, n: int) -> bool:
    return sum(each.digest == digest for each in judged(hub)) >= n


def point(link: Path, target: Path) -> None:
    """Make `link` a link to `target`, at one stroke."""
    new = link.with_suffix(".new")
    new.symlink_to(target, target_is_directory=True)
    new.replace(link)


def make_version(folder: Path, version: str) -> str:
    """Write the default bundle under another version; return its digest in hexadecimal."""
    shutil.copytree(default_bundle_path(), folder)
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes())
    manifest["version"] = version
    (folder / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return Bundle.open(folder).digest.hex()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_link_is_switched_and_no_frame_is_lost_or_judged_twice(
    hub: Hub, agent: Agent, tmp_path: Path
) -> None:
    digests = [make_version(tmp_path / f"v{n}", f"9.{n}") for n in (1, 2)]
    link = tmp_path / "current"
    point(link, tmp_path / "v1")
    agent.environment["FARWATCH_BUNDLE"] = str(link)
    agent.start()
    wait_for("the first judges", partial(has_judged, hub, digests[0], 30), timeout_s=90)
    point(link, tmp_path / "v2")
    wait_for("the second judges", partial(has_judged, hub, digests[1], 30), timeout_s=90)
    assert_books_agree(hub, agent)

    frames = judged(hub)
    assert [digest for digest, _ in groupby(each.digest for each in frames)] == digests
    instants = [each.captured_at for each in frames]
    assert len(set(instants)) == len(instants)
    assert max(later - one for one, later in pairwise(instants)) < LONGEST_GAP
    known = {digest for (digest,) in _query(hub, "SELECT digest FROM fleet_bundle")}
    assert known == set(digests)
    told = _query(hub, "SELECT title FROM events_event WHERE kind = 'model_changed'")
    assert [title for (title,) in told] == ["The model nanodet-g-416 9.2 has taken over"]
