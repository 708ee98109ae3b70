"""A door to the hub that is measured: its argument is `prepare`, `begin` or `progress`."""

import sys

import django
import msgspec

from webapp.env import default_settings_module

default_settings_module()
django.setup()

from django.conf import settings  # noqa: E402 - Django first

from processing.batch.bundles import found_bundles  # noqa: E402 - Django first
from webapp.accounts.models import Organization, User  # noqa: E402 - Django first
from webapp.batches.actions import NewBatch, create_batch  # noqa: E402 - Django first
from webapp.batches.bundles import FoundBundle, declare_bundles  # noqa: E402 - Django first
from webapp.batches.models import Batch, WorkerBundle  # noqa: E402 - Django first
from webapp.batches.queries import n_judged, pictures_of  # noqa: E402 - Django first
from webapp.common.clock import now  # noqa: E402 - Django first


def prepare() -> None:
    """Make an organization with a user; print its id."""
    organization = Organization.objects.create(name="Benchmark")
    User.objects.create(username="bench")
    found = (
        FoundBundle(each.digest.hex(), each.name, each.version, each.labels)
        for each in found_bundles(settings.BUNDLES_DIR)
    )
    declare_bundles(found, at=now())
    print(organization.pk)


def begin() -> None:
    """Begin a batch of the folder."""
    new = NewBatch(
        name="Benchmark",
        source=Batch.Source.FOLDER,
        wanted={"folder": "bench"},
        bundle=WorkerBundle.objects.get(),
        min_score=0.4,
    )
    organization, by = Organization.objects.get(), User.objects.get()
    print(create_batch(new, organization=organization, by=by, at=now()).pk)


def progress() -> None:
    """Print how far the newest batch is."""
    batch = Batch.objects.order_by("-pk")[0]
    numbers = []
    if batch.state == Batch.State.DONE:
        numbers = [each.number for each in pictures_of(batch) if each.outcome is not None]
    is_whole = numbers == list(range(batch.n_items))
    told = {
        "state": batch.state,
        "n_done": n_judged(batch),
        "n_items": batch.n_items,
        "n_distinct": len(numbers) if is_whole else 0,
    }
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    {"prepare": prepare, "begin": begin, "progress": progress}[sys.argv[1]]()
