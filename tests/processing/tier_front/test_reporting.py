"""Every use is counted once, whatever happens to the hub, the network or the tier's process."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.tier.contract import Serving
from processing.tier.fake import FakeTier
from processing.tier.hub.asking import HubAway
from processing.tier.hub.following import Follower
from processing.tier.hub.keeping import DataFolder
from processing.tier.hub.metering import MAX_ROWS, Uses
from processing.tier.hub.reporting import Reported, Reporter
from processing.wire.tier import (
    MAX_USES,
    Grant,
    TierReport,
    TierWanted,
    WantedModel,
    WantedVersion,
)
from tests.processing.tier_front.fronts import make_grant, until
from tests.processing.tiny_bundle import make_tiny_bundle

GRANT = make_grant()
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


class CountingHub:
    """Counts a number of a boot once, as the hub does; loses answers when it is told to."""

    def __init__(self) -> None:
        self.reports: list[TierReport] = []
        self.counted: Counter[str] = Counter()
        self.n_answered = 0
        self.wanted = TierWanted()
        self.loses: str = ""
        """What does not arrive: the `report`, or its `answer`."""

    async def report(self, body: bytes) -> TierWanted:
        if self.loses == "report":
            raise HubAway("no")
        report = msgspec.json.decode(body, type=TierReport)
        self.reports.append(report)
        if report.number > self.counted[report.boot_id.hex]:
            self.counted[report.boot_id.hex] = report.number
            self.n_answered += sum(use.outcomes.get("answered", 0) for use in report.uses)
        if self.loses == "answer":
            raise HubAway("no")
        return self.wanted


class Tier:
    """A tier's reporting part, which may die and be started again."""

    def __init__(self, folder: Path, hub: CountingHub) -> None:
        self._folder = folder
        self._hub = hub
        self.wanted: list[TierWanted] = []
        self.start()

    def start(self) -> None:
        self.uses = Uses()
        about = Reported(
            tier=FakeTier(),
            uses=self.uses,
            bundles=self._folder / "bundles",
            device="CPU",
            disagreement=lambda _model: 0.25,
            troubles=lambda: ["something"],
        )
        data = DataFolder(self._folder / "data")
        self.reporter = Reporter(
            self._hub, about, data, on_wanted=self.wanted.append, now=lambda: AT
        )

    def use(self, n: int = 1, grant: Grant = GRANT) -> None:
        for _ in range(n):
            self.uses.add(grant, "fake", "answered", n_bytes=10, busy_ms=1.0)


@pytest.fixture
def hub() -> CountingHub:
    return CountingHub()


@pytest.fixture
def tier(tmp_path: Path, hub: CountingHub) -> Tier:
    return Tier(tmp_path, hub)


async def test_a_report_says_how_the_tier_is(tier: Tier, hub: CountingHub, tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    make_tiny_bundle(tmp_path / "bundles" / "tiny")
    tier.use(3)
    await tier.reporter.report()
    (report,) = hub.reports
    assert [(bundle.name, bundle.state) for bundle in report.bundles] == [("tiny", "available")]
    assert [(queue.model, queue.disagreement) for queue in report.queues] == [("fake", 0.25)]
    assert report.problems == ("something",)
    (use,) = report.uses
    assert (use.outcomes, use.n_bytes, use.busy_ms) == ({"answered": 3}, 30, 3.0)
    assert tier.wanted == [TierWanted()]


async def test_uses_wait_while_the_hub_is_away_and_answers_may_be_lost(
    tier: Tier, hub: CountingHub
) -> None:
    for lost in ("report", "answer", "answer", "report", ""):
        tier.use(2)
        hub.loses = lost
        await tier.reporter.report()
    await tier.reporter.report()
    assert hub.n_answered == 10
    assert tier.reporter.trouble == ""
    assert tier.uses.n_answered(GRANT.grant_id) == 0


async def test_until_the_hub_has_counted_an_answer_it_is_not_forgotten(
    tier: Tier, hub: CountingHub
) -> None:
    tier.use(2)
    hub.loses = "report"
    await tier.reporter.report()
    tier.use(1)
    assert tier.uses.n_answered(GRANT.grant_id) == 3
    tier.start()
    assert tier.uses.n_answered(GRANT.grant_id) == 2  # killed: the newest were on no disk yet


async def test_a_tier_that_is_stopped_while_the_hub_is_away_loses_nothing(
    tier: Tier, hub: CountingHub
) -> None:
    hub.loses = "report"
    tier.use(2)
    await tier.reporter.report()
    tier.use(3)
    await tier.reporter.close()
    tier.start()
    hub.loses = ""
    tier.use(1)
    for _ in range(3):
        await tier.reporter.report()
    assert hub.n_answered == 6
    assert len({report.tier_id for report in hub.reports}) == 1


async def test_a_report_holds_no_more_uses_than_the_hub_takes(tier: Tier, hub: CountingHub) -> None:
    for _ in range(MAX_USES + 5):
        tier.use(grant=make_grant())
    for _ in range(2):
        await tier.reporter.report()
    assert [len(report.uses) for report in hub.reports] == [MAX_USES, 5]


def test_uses_of_too_many_are_counted_as_lost() -> None:
    uses = Uses()
    for _ in range(MAX_ROWS + 3):
        uses.add(make_grant(), "fake", "answered", n_bytes=1)
    assert (len(uses), uses.n_lost) == (MAX_ROWS, 3)


@given(
    fates=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(("", "report", "answer")),
            st.sampled_from(("", "stop", "die after reporting")),
        ),
        max_size=12,
    )
)
async def test_no_use_is_lost_or_counted_twice_through_any_fate(
    fates: list[tuple[int, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    hub = CountingHub()
    tier = Tier(tmp_path_factory.mktemp("tier"), hub)
    n_used = 0
    for n, lost, end in fates:
        hub.loses = lost
        tier.use(n)
        n_used += n
        await tier.reporter.report()
        if end == "stop":
            await tier.reporter.close()
            tier.start()
        elif end:
            await tier.reporter.report()  # what waited is on the disk from then on
            tier.start()
    hub.loses = ""
    for _ in range(4):
        await tier.reporter.report()
    assert hub.n_answered == n_used


async def test_a_damaged_file_is_put_aside(tier: Tier, hub: CountingHub, tmp_path: Path) -> None:
    (tmp_path / "data" / "unreported.json").write_text("{")
    tier.start()
    await tier.reporter.report()
    assert len(hub.reports) == 1
    assert (tmp_path / "data" / "unreported.json.unreadable").exists()


async def test_without_wishes_every_bundle_is_served_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    make_tiny_bundle(tmp_path / "bundles" / "any")
    tier = FakeTier(models=())
    follower = Follower(tier, tmp_path / "bundles", DataFolder(tmp_path / "data"))
    await follower.follow()
    await follower.follow()
    ((serving,),) = tier.wanted
    assert (serving.model, [version.weight for version in serving.versions]) == ("tiny", [1.0])


async def test_folders_that_fail_end_nothing(tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    bundles.write_text("no folder")
    (tmp_path / "data" / "wanted.json.new").mkdir(parents=True)
    tier = FakeTier(models=())
    follower = Follower(tier, bundles, DataFolder(tmp_path / "data"))
    following = asyncio.create_task(follower.run())
    await until(lambda: bool(follower.trouble) or following.done())
    assert "bundles" in follower.trouble
    version = WantedVersion(digest="0" * 32)
    follower.want(TierWanted(models=(WantedModel(model="gate", versions=(version,)),)))
    await until(lambda: bool(tier.wanted) or following.done())
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert tier.wanted[0][0].model == "gate"


async def test_what_the_hub_wants_outlives_the_process(tmp_path: Path) -> None:
    wanted = TierWanted(
        models=(
            WantedModel(
                model="gate",
                versions=(
                    WantedVersion(digest="0" * 32, weight=3.0),
                    WantedVersion(digest="1" * 32, is_shadow=True),
                ),
            ),
        )
    )
    data = DataFolder(tmp_path)
    data.write_wanted(wanted)
    tier = FakeTier(models=())
    await Follower(tier, tmp_path / "bundles", data).follow()
    ((serving,),) = tier.wanted
    assert isinstance(serving, Serving)
    assert [(each.weight, each.is_shadow) for each in serving.versions] == [
        (3.0, False),
        (1.0, True),
    ]
