"""Pictures travel while somebody looks, the newest of each camera, and never before results."""

from processing.wire.messages import LiveDemand, LivePicture, LiveView
from tests.edge_agent.entries import BUNDLE, CAMERA, NOW, result
from tests.edge_agent.link.conftest import Rig


def picture(n: int) -> LivePicture:
    return LivePicture(
        camera_id=CAMERA, captured_at=NOW, width=n + 1, height=1, bundle=BUNDLE,
        detections=b"", jpeg=b"\xff\xd8\xff\xd9",
    )  # fmt: skip


async def test_it_works(rig: Rig) -> None:
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.reports)
        rig.live.put(picture(0))  # nobody looks
        await hub.say(LiveDemand(views=(LiveView(camera_id=CAMERA),)))
        await hub.until(lambda: rig.live.turn_of(CAMERA))
        rig.live.put(picture(1))
        await hub.until(lambda: hub.pictures)
    assert hub.pictures == [picture(1)]


async def test_results_go_first_and_only_the_newest_picture_is_kept(rig: Rig) -> None:
    rig.live.demand(LiveDemand(views=(LiveView(camera_id=CAMERA),), expires_s=60))
    for n in range(3000):
        rig.outbox.append(result(n))
    rig.outbox.states().result(timeout=10)
    async with rig.hub.run() as hub, rig.linked():
        rig.live.demand(LiveDemand(views=(LiveView(camera_id=CAMERA),), expires_s=60))
        for n in range(10):
            rig.live.put(picture(n))
        await hub.until(lambda: hub.pictures)
        await hub.until(lambda: hub.counts()["results"] == 3000)
    assert hub.order[0] == "results"
    assert hub.pictures == [picture(9)]


async def test_a_lost_hub_looks_no_more(rig: Rig) -> None:
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.reports)
        await hub.say(LiveDemand(views=(LiveView(camera_id=CAMERA),), expires_s=60))
        await hub.until(lambda: rig.live.turn_of(CAMERA))
        hub.cut()
        await hub.until(lambda: len(hub.hellos) == 2)
        assert rig.live.turn_of(CAMERA) is None
