"""A picture in, boxes out; and every way in which it may be refused."""

import asyncio
import gzip

import httpx
import msgspec
import pytest

from processing.tier.contract import (
    BadInquiry,
    JudgeFailed,
    Overloaded,
    Refused,
    TooLate,
)
from processing.tier.fake import VERSION, FakeTier
from processing.wire.tier import MAX_PICTURE_BYTES, Judged
from tests.processing.tier_front.fronts import JPEG, MODEL, Fronts, found, make_grant, until

URL = "/api/v1/detect/"
AS_JPEG = {"Content-Type": "image/jpeg"}


async def post(fronts: Fronts, url: str = URL, **options: object) -> httpx.Response:
    async with fronts.client() as client:
        given = {"content": JPEG, "headers": AS_JPEG} | options
        return await client.post(url, **given)  # type: ignore[arg-type]


async def test_things_come_best_first_as_shares_of_the_picture() -> None:
    fronts = Fronts(FakeTier([found(0.2, 0.9)]))
    response = await post(fronts, f"{URL}?model={MODEL}&min_score=0.1&sticky=gate&budget_ms=250")
    assert response.status_code == 200
    judged = msgspec.json.decode(response.content, type=Judged)
    assert [thing.score for thing in judged.detections] == pytest.approx([0.9, 0.2])
    assert judged.detections[0].box == (0.0, 0.0, 0.5, 0.5)
    assert judged.detections[0].name == "thing"
    assert (judged.model, judged.version, judged.width) == (MODEL, VERSION, 64)
    (inquiry,) = fronts.tier.inquiries
    assert (inquiry.sticky, inquiry.budget_ms, inquiry.picture) == ("gate", 250.0, JPEG)
    assert inquiry.tenant == str(fronts.hub.grants["fw_known"].organization_id)


async def test_what_is_less_certain_than_asked_for_is_left_out() -> None:
    response = await post(Fronts(FakeTier([found(0.2, 0.9)])), f"{URL}?min_score=0.5")
    assert len(response.json()["detections"]) == 1


async def test_msgpack_for_those_who_ask_for_it() -> None:
    headers = AS_JPEG | {"Accept": "application/msgpack"}
    response = await post(Fronts(FakeTier([found(0.9)])), headers=headers)
    assert response.headers["content-type"] == "application/msgpack"
    assert len(msgspec.msgpack.decode(response.content, type=Judged).detections) == 1


async def test_a_packed_picture_is_unpacked() -> None:
    fronts = Fronts()
    headers = AS_JPEG | {"Content-Encoding": "gzip"}
    assert (await post(fronts, content=gzip.compress(JPEG), headers=headers)).status_code == 200
    assert fronts.tier.inquiries[0].picture == JPEG


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("budget_ms=0", "budget_ms"),
        ("budget_ms=-1", "budget_ms"),
        ("budget_ms=nan", "budget_ms"),
        ("budget_ms=60001", "budget_ms"),
        ("budget_ms=soon", "budget_ms"),
        ("min_score=1.1", "min_score"),
        ("model=NO", "model"),
        ("version=1", "version"),
        ("urgency=now", "urgency"),
        ("sticky=" + "a" * 201, "sticky"),
        ("modle=fake", "modle"),
        ("min_score=0.1&min_score=0.2", "min_score"),
    ],
)
async def test_a_wrong_parameter_is_named(query: str, parameter: str) -> None:
    fronts = Fronts()
    response = await post(fronts, f"{URL}?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert [*response.json()["errors"]] == [parameter]
    assert fronts.tier.inquiries == []


@pytest.mark.parametrize(
    ("refused", "status", "retry_after"),
    [
        (Overloaded("full", retry_after_s=1.2), 503, "2"),
        (Overloaded("full", retry_after_s=float("inf")), 503, "3600"),
        (TooLate("late"), 504, None),
        (BadInquiry("no picture"), 422, None),
        (JudgeFailed("it broke"), 503, "1"),
    ],
)
async def test_refusals_say_why_and_when_to_come_again(
    refused: Refused, status: int, retry_after: str | None
) -> None:
    response = await post(Fronts(FakeTier([refused])))
    assert (response.status_code, response.headers.get("retry-after")) == (status, retry_after)
    assert response.json()["detail"] == str(refused)


async def test_an_unknown_model_is_404_and_not_counted() -> None:
    fronts = Fronts()
    assert (await post(fronts, f"{URL}?model=stranger")).status_code == 404
    assert len(fronts.uses) == 0


async def test_without_a_model_that_is_ready_nothing_is_judged() -> None:
    assert (await post(Fronts(FakeTier(models=())))).status_code == 404


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer fw_stranger"}, {"Authorization": "Basic eDp5"}]
)
async def test_strangers_are_told_to_show_a_key(headers: dict[str, str]) -> None:
    fronts = Fronts()
    async with fronts.client(is_known=False) as client:
        response = await client.post(URL, content=JPEG, headers=AS_JPEG | headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert fronts.tier.inquiries == []


async def test_a_key_for_reading_only_may_not_have_pictures_judged() -> None:
    response = await post(Fronts(grant=make_grant(scopes=("models",))))
    assert response.status_code == 403


async def test_while_the_hub_is_away_newcomers_wait() -> None:
    fronts = Fronts()
    fronts.hub.is_away = True
    response = await post(fronts)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0


async def test_more_than_its_rate_is_429_with_the_time_to_wait() -> None:
    fronts = Fronts(grant=make_grant(pictures_per_s=0.5, burst=2))
    assert [(await post(fronts)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await post(fronts)).headers["retry-after"] == "2"
    fronts.moment.at_s += 2.0
    assert (await post(fronts)).status_code == 200


async def test_a_day_has_only_so_many_pictures_and_refused_ones_are_none() -> None:
    grant = make_grant(n_left_today=2)
    fronts = Fronts(FakeTier([Overloaded("full", retry_after_s=1.0)]), grant)
    assert (await post(fronts, f"{URL}?model=stranger")).status_code == 404
    assert [(await post(fronts)).status_code for _ in range(4)] == [503, 200, 200, 429]


async def test_a_grant_that_is_renewed_counts_what_the_hub_has_not() -> None:
    grant_id = make_grant().grant_id
    fronts = Fronts(grant=make_grant(n_left_today=2, grant_id=grant_id, expires_s=1.0))
    assert (await post(fronts)).status_code == 200
    fronts.moment.at_s += 2.0
    fronts.hub.grants["fw_known"] = make_grant(n_left_today=2, grant_id=grant_id)
    assert [(await post(fronts)).status_code for _ in range(2)] == [200, 429]


async def test_too_large_and_too_packed_is_413() -> None:
    fronts = Fronts()
    assert (await post(fronts, content=b"x" * (MAX_PICTURE_BYTES + 1))).status_code == 413
    bomb = gzip.compress(bytes(MAX_PICTURE_BYTES + 1))
    headers = AS_JPEG | {"Content-Encoding": "gzip"}
    assert (await post(fronts, content=bomb, headers=headers)).status_code == 413
    assert fronts.bodies.n_bytes == 0


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "application/json"}, JPEG, 415),
        ({"Content-Type": "image/jpeg", "Content-Encoding": "br"}, JPEG, 415),
        ({"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}, JPEG, 400),
        ({"Content-Type": "image/jpeg", "Content-Encoding": "deflate"}, b"", 400),
        ({"Content-Type": "image/jpeg"}, b"", 400),
    ],
)
async def test_what_is_no_picture_is_refused(
    headers: dict[str, str], content: bytes, status: int
) -> None:
    fronts = Fronts()
    assert (await post(fronts, headers=headers, content=content)).status_code == status
    assert fronts.tier.inquiries == []


async def test_bodies_of_others_may_fill_the_room_there_is() -> None:
    tier = FakeTier()
    tier.hold()
    fronts = Fronts(tier, bodies_mb=1)
    picture = b"x" * (600 * 1024)
    first = asyncio.create_task(post(fronts, content=picture))
    await until(lambda: bool(tier.inquiries))
    assert (await post(fronts, content=picture)).status_code == 503
    tier.release()
    assert (await first).status_code == 200
    assert fronts.bodies.n_bytes == 0


async def test_every_outcome_is_counted_once_for_whom_it_was() -> None:
    fronts = Fronts(
        FakeTier([Overloaded("x", retry_after_s=1.0), TooLate("x"), BadInquiry("x"), found(0.5)])
    )
    for _ in range(4):
        await post(fronts)
    (use,) = fronts.uses.take(10)
    assert use.outcomes == {"refused": 1, "late": 1, "bad": 1, "answered": 1}
    assert use.n_bytes == 4 * len(JPEG)
    assert use.grant_id == fronts.hub.grants["fw_known"].grant_id


async def test_ids_of_requests_are_taken_over_when_they_are_sound() -> None:
    fronts = Fronts()
    sound = await post(fronts, headers=AS_JPEG | {"X-Request-ID": "abc-1"})
    assert sound.headers["x-request-id"] == "abc-1"
    unsound = await post(fronts, headers=AS_JPEG | {"X-Request-ID": "a b\tc"})
    assert len(unsound.headers["x-request-id"]) == 32


async def test_unknown_paths_and_methods_are_problems() -> None:
    async with Fronts().client() as client:
        assert (await client.get("/nowhere")).headers["content-type"] == "application/problem+json"
        assert (await client.get(URL)).status_code == 405
        assert "error" in (await client.delete("/v2/models/fake")).json()


async def test_metrics_are_for_this_machine_and_name_no_stranger() -> None:
    fronts = Fronts()
    await post(fronts, f"{URL}?model=stranger")
    await post(fronts)
    async with fronts.client() as client:
        page = (await client.get("/metrics")).text
        assert 'farwatch_tier_pictures_total{outcome="answered"} 1.0' in page
        assert 'farwatch_tier_http_answers_total{route="detect",status="404"} 1.0' in page
        assert "stranger" not in page
        passed_on = await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
        assert passed_on.status_code == 404


async def test_health_says_what_is_wrong() -> None:
    fronts = Fronts()
    async with fronts.client(is_known=False) as client:
        assert (await client.get("/healthz")).status_code == 200
        fronts.troubles.append("no model is ready")
        response = await client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"troubles": ["no model is ready"]})
