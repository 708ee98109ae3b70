"""What tiers report: counted exactly once, kept as it is now, answered with what is wanted."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.wire.tier import MAX_USED, TierReport, TierWanted
from tests.factories import START, Clock, make_organization
from tests.webapp.inference.reporting import (
    REPORTS,
    make_report,
    make_tier_bundle,
    make_use,
    post_as_tier,
)
from webapp.accounts.models import Organization
from webapp.inference import reports
from webapp.inference.models import Tier, TierBoot, UsageHour
from webapp.inference.reports import TooManyTiers, take_report

pytestmark = pytest.mark.django_db


def test_what_was_used_is_counted(acme: Organization) -> None:
    key = uuid4()
    use = make_use(acme, key, answered=3, refused=2, late=1, bad=4, failed=5, busy_ms=7.5)
    take_report(make_report(use), at=START)
    row = UsageHour.objects.get()
    assert (row.organization, row.grant_id, row.kind, row.model) == (acme, key, "key", "nanodet-g")
    assert row.hour_at == START
    assert (row.n_answered, row.n_refused, row.n_late) == (3, 2, 1)
    assert (row.n_bad, row.n_failed, row.n_bytes, row.busy_ms) == (4, 5, 100, 7.5)


def test_a_report_that_comes_again_is_counted_once(acme: Organization) -> None:
    report = make_report(make_use(acme, answered=3), number=4)
    for _ in range(3):
        take_report(report, at=START)
    assert UsageHour.objects.get().n_answered == 3
    take_report(msgspec.structs.replace(report, number=3), at=START)  # an earlier one, late
    assert UsageHour.objects.get().n_answered == 3
    take_report(msgspec.structs.replace(report, number=5), at=START)
    assert UsageHour.objects.get().n_answered == 6


def test_every_start_of_a_tier_counts_from_one(acme: Organization) -> None:
    tier, use = uuid4(), make_use(acme, uuid4(), answered=1)
    boots = [uuid4(), uuid4()]
    for boot_id in (*boots, *boots):
        take_report(make_report(use, tier_id=tier, boot_id=boot_id), at=START)
    assert UsageHour.objects.get().n_answered == 2


def test_two_tiers_add_up(acme: Organization) -> None:
    use = make_use(acme, uuid4(), answered=1)
    for _ in range(2):
        take_report(make_report(use), at=START)
    assert UsageHour.objects.get().n_answered == 2


def test_uses_of_one_report_that_are_alike_are_added(acme: Organization) -> None:
    key = uuid4()
    uses = [make_use(acme, key, answered=1), make_use(acme, key, answered=2, late=1)]
    take_report(make_report(*uses), at=START)
    row = UsageHour.objects.get()
    assert (row.n_answered, row.n_late, row.n_bytes, row.busy_ms) == (3, 1, 200, 2.0)


def test_each_hour_has_its_row(acme: Organization, clock: Clock) -> None:
    tier, boot, use = uuid4(), uuid4(), make_use(acme, uuid4(), answered=1)
    for number in (1, 2, 3):
        report = make_report(use, tier_id=tier, boot_id=boot, number=number)
        take_report(report, at=clock.advance(minutes=40))
    counted = UsageHour.objects.order_by("hour_at").values_list("hour_at", "n_answered")
    hour = timedelta(hours=1)
    assert list(counted) == [(START, 1), (START + hour, 1), (START + 2 * hour, 1)]


def test_what_an_organization_used_that_is_gone_is_left_out(acme: Organization) -> None:
    gone = make_organization()
    uses = [make_use(gone, answered=1), make_use(acme, answered=2)]
    gone.delete()
    take_report(make_report(*uses), at=START)
    assert UsageHour.objects.get().n_answered == 2


Steps = list[tuple[int, int, int]]


@given(
    steps=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 5), st.integers(0, 9)), max_size=20)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_any_order_of_repeats_counts_what_was_new(acme: Organization, steps: Steps) -> None:
    UsageHour.objects.all().delete()
    tier, boots, key = uuid4(), [uuid4(), uuid4()], uuid4()
    newest, expected = {0: 0, 1: 0}, 0
    for boot, number, n_pictures in steps:
        use = make_use(acme, key, answered=n_pictures)
        report = make_report(use, tier_id=tier, boot_id=boots[boot], number=number)
        take_report(report, at=START)
        if number > newest[boot]:
            newest[boot], expected = number, expected + n_pictures
    counted = UsageHour.objects.values_list("n_answered", flat=True)
    assert sum(counted) == expected


@pytest.mark.django_db(transaction=True)
def test_the_same_report_many_times_at_once_is_counted_once(db: None) -> None:
    organization = make_organization()
    report = make_report(make_use(organization, answered=3))
    together = threading.Barrier(6)
    failed: list[Exception] = []

    def send() -> None:
        together.wait()
        try:
            take_report(report, at=START)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert UsageHour.objects.get().n_answered == 3
    assert (Tier.objects.count(), TierBoot.objects.count()) == (1, 1)


def test_how_a_tier_is_is_kept(clock: Clock) -> None:
    tier_id, boot_id = uuid4(), uuid4()

    def tell(number: int, *problems: str) -> Tier:
        said = make_report(tier_id=tier_id, boot_id=boot_id, number=number, problems=problems)
        take_report(said, at=clock.now())
        return Tier.objects.get()

    tier = tell(1, "no bundle")
    assert (tier.state["device"], tier.state["problems"]) == ("CPU", ["no bundle"])
    assert (tier.state["uses"], tier.first_seen_at, tier.up_since_at) == ([], START, START)
    clock.advance(seconds=5)
    tier = tell(2)
    assert (tier.state["problems"], tier.up_since_at) == ([], START)
    assert tier.is_here(at=clock.now())
    clock.advance(minutes=5)
    assert not tier.is_here(at=clock.now())
    tier = tell(3)
    assert (tier.up_since_at, tier.first_seen_at) == (clock.now(), START)


def test_an_old_report_does_not_bring_back_how_it_was() -> None:
    tier_id, boot_id = uuid4(), uuid4()
    for number, problem in ((2, "new"), (1, "old")):
        said = make_report(tier_id=tier_id, boot_id=boot_id, number=number, problems=(problem,))
        take_report(said, at=START)
    assert Tier.objects.get().state["problems"] == ["new"]


def test_only_so_many_tiers_and_starts_are_remembered(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setattr(reports, "MAX_TIERS", 2)
    monkeypatch.setattr(reports, "MAX_BOOTS", 3)
    tier_id = uuid4()
    for _ in range(5):
        take_report(make_report(tier_id=tier_id), at=clock.now())
    assert TierBoot.objects.count() == 3
    take_report(make_report(), at=clock.now())
    with pytest.raises(TooManyTiers):
        take_report(make_report(), at=clock.now())
    clock.advance(days=8)
    take_report(make_report(), at=clock.now())
    assert Tier.objects.count() == 1


def test_a_tier_reports_with_its_token(client: Client, acme: Organization) -> None:
    report = make_report(make_use(acme, answered=1), bundles=(make_tier_bundle(),))
    answer = post_as_tier(client, REPORTS, report)
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=TierWanted) == TierWanted()
    assert UsageHour.objects.get().n_answered == 1
    assert post_as_tier(client, REPORTS, report, token="x").status_code == 401


def test_text_that_no_database_stores_is_made_fit(client: Client) -> None:
    report = make_report(problems=("a\0b",), bundles=(make_tier_bundle("x\0y"),))
    assert post_as_tier(client, REPORTS, report).status_code == 200
    assert Tier.objects.get().state["problems"] == ["a\N{REPLACEMENT CHARACTER}b"]


def test_the_most_that_a_report_may_say_is_counted(acme: Organization) -> None:
    tier, boot = uuid4(), uuid4()
    for number in range(1, 4):
        use = make_use(acme, UUID(int=1), answered=MAX_USED, busy_ms=float(MAX_USED))
        take_report(make_report(use, tier_id=tier, boot_id=boot, number=number), at=START)
    assert UsageHour.objects.get().n_answered == 3 * MAX_USED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 0),
        ("tier_id", "x"),
        ("at", "2026-11-22T12:00:00"),
        ("uses", [{"grant_id": "x"}]),
        ("bundles", [{"digest": "x"}]),
        ("problems", ["x"] * 21),
    ],
)
def test_what_is_wrong_is_named(client: Client, field: str, value: object) -> None:
    body = msgspec.to_builtins(make_report()) | {field: value}
    answer = post_as_tier(client, REPORTS, body)
    assert answer.status_code == 400
    (named,) = answer.json()["errors"]
    assert named.startswith(field)


@given(body=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_it_crash(client: Client, body: bytes) -> None:
    assert post_as_tier(client, REPORTS, body).status_code == 400


def test_a_report_of_all_that_there_is_room_for_is_taken(
    client: Client, acme: Organization
) -> None:
    uses = [make_use(acme, answered=1) for _ in range(1000)]
    bundles = tuple(make_tier_bundle(f"model-{number}") for number in range(64))
    report: TierReport = make_report(*uses, bundles=bundles)
    assert post_as_tier(client, REPORTS, report).status_code == 200
    assert UsageHour.objects.count() == 1000
