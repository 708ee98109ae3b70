"""The hub is asked rarely, revoked keys end, and a hub that is away harms nobody it knows."""

import asyncio

import pytest

from processing.tier.hub import credentials
from processing.tier.hub.asking import HubAway
from processing.tier.hub.credentials import GRACE_S, UNKNOWN_S, Grants, NoCredentials, NotAllowed
from processing.wire.tier import MAX_BEARER, Grant
from tests.processing.tier_front.fronts import KEY, Hub, Moment, make_grant, until


class SlowHub(Hub):
    """Answers when it is let go."""

    def __init__(self, grants: dict[str, Grant]) -> None:
        super().__init__(grants)
        self.go = asyncio.Event()

    async def ask(self, bearer: str) -> Grant | None:
        self.asked.append(bearer)
        await self.go.wait()
        return self.grants.get(bearer)


@pytest.fixture
def hub() -> Hub:
    return Hub({KEY: make_grant(expires_s=30.0)})


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def grants(hub: Hub, moment: Moment) -> Grants:
    return Grants(hub, clock=moment)


async def test_a_known_key_is_asked_about_once_until_it_lapses(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    for _ in range(5):
        await grants.admit(KEY, "detect")
    assert hub.asked == [KEY]
    moment.at_s += 31.0
    await grants.admit(KEY, "detect")
    assert hub.asked == [KEY, KEY]


async def test_a_key_in_use_is_renewed_before_it_lapses(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    await grants.admit(KEY, "detect")
    moment.at_s += 25.0
    await grants.admit(KEY, "detect")
    await until(lambda: len(hub.asked) == 2)
    moment.at_s += 20.0
    await grants.admit(KEY, "detect")
    assert len(hub.asked) == 2


async def test_a_revoked_key_ends_when_it_is_asked_about_again(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    await grants.admit(KEY, "detect")
    hub.grants.clear()
    moment.at_s += 31.0
    with pytest.raises(NoCredentials):
        await grants.admit(KEY, "detect")
    hub.is_away = True
    moment.at_s += UNKNOWN_S + 1.0
    with pytest.raises(HubAway):
        await grants.admit(KEY, "detect")


async def test_a_stranger_is_remembered_for_a_while(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    for _ in range(3):
        with pytest.raises(NoCredentials):
            await grants.admit("fw_stranger", "detect")
    assert len(hub.asked) == 1
    hub.grants["fw_stranger"] = make_grant()
    moment.at_s += UNKNOWN_S + 0.1
    await grants.admit("fw_stranger", "detect")


@pytest.mark.parametrize("bearer", ["", "x" * (MAX_BEARER + 1)])
async def test_what_cannot_be_a_key_is_not_asked_about(
    grants: Grants, hub: Hub, bearer: str
) -> None:
    with pytest.raises(NoCredentials):
        await grants.admit(bearer, "detect")
    assert hub.asked == []


async def test_scopes_are_kept_apart(grants: Grants, hub: Hub) -> None:
    hub.grants[KEY] = make_grant(scopes=("models",))
    await grants.admit(KEY, "models")
    with pytest.raises(NotAllowed):
        await grants.admit(KEY, "detect")


async def test_with_the_hub_away_known_keys_go_on_for_the_grace_and_no_longer(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    await grants.admit(KEY, "detect")
    hub.is_away = True
    moment.at_s += 30.0 + GRACE_S - 1.0
    await grants.admit(KEY, "detect")
    with pytest.raises(HubAway):
        await grants.admit("fw_other", "detect")
    moment.at_s += 2.0
    with pytest.raises(HubAway):
        await grants.admit(KEY, "detect")


async def test_a_hub_that_is_away_is_not_asked_by_every_request(
    grants: Grants, hub: Hub, moment: Moment
) -> None:
    await grants.admit(KEY, "detect")
    hub.is_away = True
    moment.at_s += 31.0
    for _ in range(10):
        await grants.admit(KEY, "detect")
    assert len(hub.asked) == 2
    hub.is_away = False
    moment.at_s += 2.0
    await grants.admit(KEY, "detect")
    assert len(hub.asked) == 3


async def test_many_requests_of_one_key_ask_once() -> None:
    hub = SlowHub({KEY: make_grant()})
    grants = Grants(hub)
    waiting = [asyncio.create_task(grants.admit(KEY, "detect")) for _ in range(20)]
    await until(lambda: bool(hub.asked))
    waiting[0].cancel()  # one that does not wait ends it for nobody else
    hub.go.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert hub.asked == [KEY]
    assert [isinstance(each, Grant) for each in answers] == [False] + [True] * 19


async def test_a_crowd_of_strangers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "MAX_ASKING", 4)
    monkeypatch.setattr(credentials, "MAX_UNKNOWN", 8)
    hub = SlowHub({})
    grants = Grants(hub)
    crowd = [asyncio.create_task(grants.admit(f"fw_{n}", "detect")) for n in range(10)]
    await until(lambda: sum(task.done() for task in crowd) == 6)
    hub.go.set()
    errors = await asyncio.gather(*crowd, return_exceptions=True)
    assert sorted(type(error).__name__ for error in errors) == (
        ["HubAway"] * 6 + ["NoCredentials"] * 4
    )
    for n in range(20):
        with pytest.raises(NoCredentials):
            await grants.admit(f"fw_more_{n}", "detect")
    assert len(grants._unknown) == 8
