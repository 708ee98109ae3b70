"""The outbox takes entries from any thread and gives them back in order, from any number."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.ledger import Ledger
from edge_agent.outbox import Outbox
from edge_agent.spool.spool import Run
from processing.wire.messages import Gap, Lane, Rejection, Result
from tests.edge_agent.entries import NOW, Noticed, event, result, sample

MakeOutbox = Callable[..., Outbox]


@pytest.fixture
def make_outbox(tmp_path: Path) -> Iterator[MakeOutbox]:
    made: list[Outbox] = []

    def make(*, capacity_bytes: int = 10_000_000, ledger: Ledger | None = None) -> Outbox:
        outbox = Outbox(
            tmp_path / "outbox.db",
            capacity_bytes=capacity_bytes,
            now=lambda: NOW,
            problems=Noticed(),
            ledger=ledger,
        )
        made.append(outbox)
        return outbox

    yield make
    for outbox in made:
        outbox.close()


def read(outbox: Outbox, lane: Lane, after_seq: int = 0) -> Run | Gap | None:
    return outbox.pending(lane, after_seq, limit=1000, max_bytes=10_000_000).result(timeout=10)


def test_it_works(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    entries = [result(n) for n in range(3)]
    for entry in entries:
        outbox.append(entry)
    run = read(outbox, "results")
    assert isinstance(run, Run)
    assert run.first_seq == 1
    assert [msgspec.msgpack.decode(body, type=Result) for body in run.bodies] == entries


def test_every_kind_of_entry_has_its_lane(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    for entry in (event(), event(is_alert=False), result(), sample()):
        outbox.append(entry)
    pending = {state.lane: state.n_pending for state in outbox.states().result(timeout=10)}
    assert pending == {"alerts": 1, "events": 1, "results": 1, "media": 1}


def test_what_was_appended_before_closing_is_there_after_opening(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    epoch = outbox.epoch
    for n in range(250):
        outbox.append(result(n))
    outbox.close()
    outbox = make_outbox()
    assert outbox.epoch == epoch
    run = read(outbox, "results")
    assert isinstance(run, Run)
    assert run.last_seq == 250


def test_an_ack_takes_entries_off_the_lane_once(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    for n in range(5):
        outbox.append(result(n))
    for through_seq in (3, 3, 1):
        outbox.ack("results", outbox.epoch, through_seq)
    states = {state.lane: state.n_pending for state in outbox.states().result(timeout=10)}
    assert states["results"] == 2


def test_an_ack_for_another_epoch_means_nothing(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    outbox.append(result())
    outbox.ack("results", outbox.epoch + 1, 1)
    assert isinstance(read(outbox, "results"), Run)


def test_a_rejected_entry_is_kept_as_a_dead_letter(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    outbox.append(result())
    rejection = Rejection(seq=1, code="unknown_camera", detail="no such camera")
    outbox.reject("results", outbox.epoch, (rejection,))
    outbox.states().result(timeout=10)
    [letter] = outbox._spool.dead_letters()
    assert (letter.lane, letter.seq, letter.code) == ("results", 1, "unknown_camera")


def test_a_new_epoch_numbers_what_is_left_anew(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()
    epoch = outbox.epoch
    for n in range(4):
        outbox.append(result(n))
    outbox.ack("results", epoch, 2)
    outbox.begin_epoch().result(timeout=10)
    assert outbox.epoch != epoch
    run = read(outbox, "results")
    assert isinstance(run, Run)
    decoded = [msgspec.msgpack.decode(body, type=Result) for body in run.bodies]
    assert (run.first_seq, decoded) == (1, [result(2), result(3)])


def test_many_threads_may_append(make_outbox: MakeOutbox) -> None:
    outbox = make_outbox()

    def append_many() -> None:
        for n in range(100):
            outbox.append(result(n))

    threads = [threading.Thread(target=append_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run = read(outbox, "results")
    assert isinstance(run, Run)
    assert len(run.bodies) == 400


def test_the_ledger_has_an_intent_and_a_made_line_for_each_result(
    make_outbox: MakeOutbox, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    outbox = make_outbox(ledger=ledger)
    outbox.append(result(1))
    outbox.append(event())
    outbox.close()
    ledger.close()
    intent, made = (tmp_path / "ledger").read_text().splitlines()
    assert intent.startswith(f"intent {result(1).camera_id} 2026-11-22T12:00:00.001000+00:00 ")
    assert made == f"made {outbox.epoch} results 1 {intent.removeprefix('intent ')}"
