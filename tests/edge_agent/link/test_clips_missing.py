"""A hub that asks for clips is answered over the same link, and asks again if it missed that."""

from uuid import UUID

from processing.wire.messages import ClipDemand, ClipMissing, ClipWanted
from tests.edge_agent.entries import result
from tests.edge_agent.link.conftest import Rig

CLIP = UUID(int=44)
MISSING = ClipMissing(clip_id=CLIP, reason="the agent no longer has this clip")
DEMAND = ClipDemand(wanted=(ClipWanted(clip_id=CLIP, upload_path="/agent/clips/secret"),))


async def test_what_is_asked_for_is_heard_and_what_is_missing_is_told(rig: Rig) -> None:
    async with rig.hub.run() as hub, rig.linked() as link:
        await hub.until(lambda: hub.reports)
        await hub.say(DEMAND)
        await hub.until(lambda: rig.clip_demands)
        link.say(MISSING)
        await hub.until(lambda: "clip_missing" in hub.order)
    assert rig.clip_demands == [DEMAND]
    assert hub.order.count("clip_missing") == 1


async def test_it_is_told_before_a_backlog_of_results(rig: Rig) -> None:
    hub = rig.hub
    async with hub.run(), rig.linked() as link:
        await hub.until(lambda: hub.reports)
        await hub.until(lambda: link._session is not None and link._session._sender is not None)
        for n in range(2000):
            rig.outbox.append(result(n))
        link.say(MISSING)
        await hub.until(lambda: hub.counts()["results"] == 2000)
    assert hub.order[0] == "clip_missing"


async def test_what_is_said_while_the_hub_is_away_is_forgotten_and_nothing_breaks(rig: Rig) -> None:
    hub = rig.hub
    async with hub.run(), rig.linked() as link:
        await hub.until(lambda: hub.reports)
        hub.cut()
        await hub.until(lambda: not link.is_up)
        link.say(MISSING)
        await hub.until(lambda: len(hub.hellos) == 2)
        rig.outbox.append(result())
        await hub.until(lambda: hub.counts()["results"] == 1)
    assert "clip_missing" not in hub.order
