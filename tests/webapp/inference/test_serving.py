"""What is wanted of tiers: as bundles come, until an operator decides how versions share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.tier import (
    ModelName,
    TierBundle,
    TierWanted,
    WantedModel,
    WantedVersion,
    model_name,
)
from tests.factories import START, make_organization, make_user
from tests.webapp.inference.reporting import make_report, make_tier_bundle
from webapp.accounts.models import Role, User
from webapp.inference.models import ServedVersion, Tier
from webapp.inference.reports import take_report
from webapp.inference.serving import MAX_VERSIONS, BadRoute, Routed, route_model

pytestmark = pytest.mark.django_db


def wanted(*bundles: TierBundle) -> TierWanted:
    return take_report(make_report(bundles=bundles), at=START)


@pytest.fixture
def old() -> TierBundle:
    return make_tier_bundle("Nano Det", "1")


@pytest.fixture
def new() -> TierBundle:
    return make_tier_bundle("Nano Det", "2")


def test_until_somebody_decides_nothing_is_said(old: TierBundle, new: TierBundle) -> None:
    assert wanted(old, new) == TierWanted()


def test_what_is_decided_is_wanted(old: TierBundle, new: TierBundle, olga: User) -> None:
    other = make_tier_bundle("other")
    wanted(old, new, other)
    route_model("nano-det", [Routed(old.digest, 9), Routed(new.digest, 1)], by=olga, at=START)
    shared = (
        WantedVersion(digest=old.digest, weight=9),
        WantedVersion(digest=new.digest, weight=1),
    )
    assert wanted(old, new, other) == TierWanted(
        models=(
            WantedModel(model="nano-det", versions=shared),
            WantedModel(model="other", versions=(WantedVersion(digest=other.digest),)),
        )
    )


def test_a_shadow_takes_nothing_from_others(old: TierBundle, new: TierBundle, olga: User) -> None:
    wanted(old, new)
    routes = [Routed(old.digest, 2), Routed(new.digest, 5, is_shadow=True)]
    route_model("nano-det", routes, by=olga, at=START)
    (model,) = wanted(old, new).models
    assert model.versions == (
        WantedVersion(digest=old.digest, weight=2),
        WantedVersion(digest=new.digest, weight=0, is_shadow=True),
    )


def test_a_version_without_weight_is_not_loaded(
    old: TierBundle, new: TierBundle, olga: User
) -> None:
    wanted(old, new)
    route_model("nano-det", [Routed(old.digest, 1), Routed(new.digest, 0)], by=olga, at=START)
    (model,) = wanted(old, new).models
    assert [version.digest for version in model.versions] == [old.digest]


def test_a_version_that_comes_later_waits_for_a_decision(
    old: TierBundle, new: TierBundle, olga: User
) -> None:
    wanted(old)
    route_model("nano-det", [Routed(old.digest, 1)], by=olga, at=START)
    (model,) = wanted(old, new).models
    assert [version.digest for version in model.versions] == [old.digest]


def test_when_none_is_left_of_those_decided_about_the_rest_is_served(
    old: TierBundle, new: TierBundle, olga: User
) -> None:
    wanted(old)
    route_model("nano-det", [Routed(old.digest, 1)], by=olga, at=START)
    (model,) = wanted(new).models
    assert model.versions == (WantedVersion(digest=new.digest, weight=1),)


@pytest.mark.parametrize(
    ("model", "routes", "field"),
    [
        ("nobody", [Routed("0" * 32, 1)], "model"),
        ("nano-det", [], "versions"),
        ("nano-det", [Routed("f" * 32, 1)], "versions"),
    ],
)
def test_what_cannot_be_served_is_refused(
    old: TierBundle, olga: User, model: str, routes: list[Routed], field: str
) -> None:
    wanted(old)
    with pytest.raises(BadRoute) as refused:
        route_model(model, routes, by=olga, at=START)
    assert refused.value.field == field
    assert not ServedVersion.objects.exists()


def test_a_version_named_twice_is_refused(old: TierBundle, olga: User) -> None:
    wanted(old)
    with pytest.raises(BadRoute, match="twice"):
        route_model("nano-det", [Routed(old.digest, 1)] * 2, by=olga, at=START)


def test_a_state_of_another_version_of_the_hub_is_passed_over(old: TierBundle, olga: User) -> None:
    wanted(old)
    Tier.objects.update(state={"of": "yore"})
    with pytest.raises(BadRoute):
        route_model("nano-det", [Routed(old.digest, 1)], by=olga, at=START)


def test_a_version_that_was_decided_about_is_wanted_however_many_others_are_there(
    olga: User,
) -> None:
    bundles = [make_tier_bundle("Nano Det", str(n)) for n in range(MAX_VERSIONS + 1)]
    wanted(*bundles)
    newest = bundles[-1].digest
    route_model("nano-det", [Routed(newest, 1)], by=olga, at=START)
    (model,) = wanted(*bundles).models
    assert [version.digest for version in model.versions] == [newest]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_is_the_last(db: None) -> None:
    olga = make_user("olga", organization=make_organization(), role=Role.OPERATOR)
    bundle = make_tier_bundle("Nano Det")
    wanted(bundle)
    together = threading.Barrier(6)

    def decide(weight: int) -> None:
        together.wait()
        try:
            route_model("nano-det", [Routed(bundle.digest, weight)], by=olga, at=START)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(decide, range(1, 7)))  # raises what any of them raised
    assert ServedVersion.objects.get().weight in range(1, 7)


@given(name=st.text(min_size=1, max_size=300))
def test_every_bundle_has_a_name_to_be_served_under(name: str) -> None:
    assert msgspec.convert(model_name(name), ModelName)
    assert model_name(model_name(name)) == model_name(name)
