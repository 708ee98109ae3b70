"""Batches that are over go after their days, with their files; those under way stay."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from tests.webapp.batches.conftest import Work, pictures, send, tick
from webapp.accounts.models import Organization, User
from webapp.batches.bundles import FoundBundle, declare_bundles
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.queries import FORGOTTEN, bundles_at_hand
from webapp.common.clock import now
from webapp.common.keeping import forget_old
from webapp.media.models import Blob


@pytest.mark.django_db(transaction=True)
def test_what_is_old_goes_with_its_files(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    old = send(pictures(3), tiny, organization=acme, by=olga)
    work()
    young = send(pictures(2), tiny, organization=acme, by=olga)
    paths = [blob.path for blob in Blob.objects.all() if blob.pk != young.file_id]
    at = now() + timedelta(days=91)
    assert ("batches", 1) in list(forget_old(at))
    assert [batch.pk for batch in Batch.objects.all()] == [young.pk]
    assert not Shard.objects.filter(batch=old.pk).exists()
    assert not any(default_storage.exists(path) for path in paths)
    work()
    young.refresh_from_db()
    assert young.state == "done"


def test_a_bundle_that_no_worker_has_any_more_is_forgotten(tiny: WorkerBundle) -> None:
    at = now() + FORGOTTEN + timedelta(seconds=1)
    declare_bundles([FoundBundle("1" * 32, "other", "2", ["cat"])], at=at)
    assert [str(bundle) for bundle in bundles_at_hand()] == ["other 2"]
    tick("batches.declare_bundles")
    assert len(bundles_at_hand()) == 2
