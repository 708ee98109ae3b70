"""Workers are killed at any moment: a batch still judges every picture once, in order."""

import json
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, LiteralString

import cv2
import psycopg
import pytest

from tests.journeys.processes import Hub, wait_for
from tests.processing.tiny_bundle import LABELS, make_tiny_bundle, picture

N_PICTURES: Final = 5_000
N_KILLS: Final = 20
LEAST_PICTURES: Final = 200
LEAST_KILLS: Final = 1
"""Of the dice's first throw, in the midst of judging."""
SEED: Final = 20_261_123
SIDE: Final = 1_024
"""Of a picture: enough that decoding it takes a while."""
PATIENCE_S: Final = 600.0
_BEGIN: Final = """
from webapp.accounts.models import Organization, User
from webapp.batches.actions import NewBatch, create_batch
from webapp.batches.bundles import FoundBundle, declare_bundles
from webapp.batches.models import WorkerBundle
from webapp.common.clock import now
from processing.batch.bundles import found_bundles
from django.conf import settings
found = [FoundBundle(b.digest.hex(), b.name, b.version, b.labels)
         for b in found_bundles(settings.BUNDLES_DIR)]
declare_bundles(found, at=now())
new = NewBatch(name="Chaos", source="folder", wanted={"folder": "chaos"},
               bundle=WorkerBundle.objects.get(), min_score=0.4)
batch = create_batch(new, organization=Organization.objects.get(), by=User.objects.get(), at=now())
print(batch.pk)
"""
_RESULTS: Final = """
import json
from webapp.batches.models import Batch
from webapp.batches.queries import pictures_of
batch = Batch.objects.get()
print(json.dumps({"figures": [batch.state, batch.n_items, batch.n_done, batch.n_failed],
    "pictures": [[p.number, p.item.name, p.outcome.error if p.outcome else None,
                  [batch.labels[d.label] for d in p.detections()]]
                 for p in pictures_of(batch)]}))
"""


@pytest.mark.timeout(2 * 3600)
def test_a_worker_killed_at_random_judges_every_picture_exactly_once(
    hub: Hub, tmp_path: Path, soaked: Callable[[int], int]
) -> None:
    n_pictures = max(LEAST_PICTURES, soaked(N_PICTURES))
    n_kills = max(LEAST_KILLS, soaked(N_KILLS))
    dice = random.Random(SEED)
    begin(hub, tmp_path, n_pictures)
    worker = hub.worker
    worker.command += ["--lease-s", "1"]
    worker.start()
    for _ in range(n_kills):
        if dice.random() < 0.7:  # in the midst of judging; the others also hit what just starts
            has_more = partial(goes_on, hub, than=n_judged(hub))
            wait_for("it goes on", has_more, timeout_s=PATIENCE_S)
        time.sleep(dice.uniform(0.0, 1.0))
        worker.kill()
        worker.start()
    wait_for("the batch is done", lambda: is_over(hub), timeout_s=PATIENCE_S)
    assert worker.stop() == 0
    found = json.loads(hub.manage("shell", "-v", "0", "-c", _RESULTS).splitlines()[-1])
    assert found["figures"] == ["done", n_pictures, n_pictures, 0]
    assert found["pictures"] == [[n, f"{n:05}.png", "", [LABELS[n % 3]]] for n in range(n_pictures)]


def begin(hub: Hub, folder: Path, n_pictures: int) -> None:
    """Put so many pictures into the hub's store, and ask for a batch of them."""
    hub.prepare(source="file:none.mp4", is_new_agent=False)
    (folder / "bundles").mkdir()
    make_tiny_bundle(folder / "bundles" / "tiny")
    for environment in (hub.environment, hub.worker.environment):
        assert isinstance(environment, dict)
        environment["FARWATCH_BUNDLES_DIR"] = str(folder / "bundles")
    (organization,) = query(hub, "SELECT id FROM accounts_organization")[0]
    inbox = hub.data_dir / "media" / dashed(str(organization)) / "folders" / "chaos"
    inbox.mkdir(parents=True)
    drawn: dict[tuple[str, int, int], bytes] = {}
    for n in range(n_pictures):
        patch = (LABELS[n % 3], n % 8, n // 8 % 8)
        if patch not in drawn:
            large = cv2.resize(picture(patch), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
            drawn[patch] = cv2.imencode(".png", large)[1].tobytes()
        (inbox / f"{n:05}.png").write_bytes(drawn[patch])
    hub.manage("shell", "-v", "0", "-c", _BEGIN)


def n_judged(hub: Hub) -> int:
    counted = query(hub, "SELECT coalesce(sum(n_done), 0) FROM batches_shard")[0][0]
    return int(str(counted))


def goes_on(hub: Hub, *, than: int) -> bool:
    return is_over(hub) or n_judged(hub) > than


def is_over(hub: Hub) -> bool:
    return query(hub, "SELECT state FROM batches_batch") == [("done",)]


def query(hub: Hub, sql: LiteralString) -> list[tuple[object, ...]]:
    if hub.database_url.startswith("sqlite"):
        with closing(sqlite3.connect(hub.data_dir / "hub.sqlite3", timeout=20)) as connection:
            return connection.execute(sql).fetchall()
    with psycopg.connect(hub.database_url) as database:
        return database.execute(sql).fetchall()


def dashed(organization: str) -> str:
    """Return a UUID as the store has it; SQLite keeps the bare digits."""
    bare = organization.replace("-", "")
    return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
