"""Requests that somebody made to break us: each is answered, none with a crash."""

import gzip
import json
import random
import tracemalloc
from collections.abc import Callable

import httpx

from processing.tier.fake import FakeTier
from tests.processing.tier_front.fronts import JPEG, MODEL, Fronts
from tests.processing.tier_front.test_oip_rest import HEADER, INFER, binary, image, min_score

N_HOSTILE = 15_000
ODD_NUMBERS = ("-1", "0", "1e999", "99999999999999999999", "NaN", "0x10", "\u0663", "true", "")
ODD_WORDS = ("\x00", "\u00ed\u00a0\u0080", "\u202e", "a" * 5000)
ODD_JSON = (b"[" * 3000, b'{"inputs":' * 500, b"\xff\xfe", b"{}", b"null", b'{"inputs":[{}]}', b"")


def seeds() -> list[tuple[bytes, dict[str, str]]]:
    raw = len(JPEG).to_bytes(4, "little") + JPEG
    return [
        (json.dumps({"inputs": [image(JPEG), min_score(0.5)]}).encode(), {}),
        binary(({"name": "image", "datatype": "BYTES", "shape": [1]}, raw)),
        binary(({"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3]}, bytes(12))),
        (gzip.compress(json.dumps({"inputs": [image(JPEG)]}).encode()),
         {"Content-Encoding": "gzip"}),
    ]  # fmt: skip


def mutated(chance: random.Random, body: bytes) -> bytes:
    content = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(5):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[at : at + chance.randint(1, 20)]
            case 2:
                content[at:at] = content[: chance.randint(0, 50)]
            case 3:
                content[at:at] = chance.choice(ODD_NUMBERS).encode()
            case _:
                text = bytes(content)
                for number in (b"1", b"2", b"3"):
                    if chance.random() < 0.3:
                        odd = chance.choice(ODD_NUMBERS).encode()
                        text = text.replace(number, odd, 1)
                content = bytearray(text)
    return bytes(content)


def odd_headers(chance: random.Random, headers: dict[str, str]) -> dict[str, str]:
    changed = dict(headers)
    if chance.random() < 0.3:
        changed[HEADER] = (
            chance.choice([*ODD_NUMBERS, "7", "100"]).encode("utf-8").decode("latin-1")
        )
    if chance.random() < 0.1:
        changed["Content-Encoding"] = chance.choice(["gzip", "deflate", "br", "gzip, gzip"])
    if chance.random() < 0.1:
        changed["Accept-Encoding"] = (
            chance.choice([*ODD_WORDS[2:], "gzip;q=0", "*"]).encode().decode("latin-1")[:200]
        )
    return changed


async def sent(client: httpx.AsyncClient, chance: random.Random) -> httpx.Response:
    body, headers = chance.choice(seeds())
    body = chance.choice(ODD_JSON) if chance.random() < 0.1 else mutated(chance, body)
    headers = odd_headers(chance, headers)
    raw_headers = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if chance.random() < 0.25:
        name = chance.choice(["model", "budget_ms", "min_score", "sticky", "version", "x"])
        odd = chance.choice([*ODD_NUMBERS, *ODD_WORDS])
        return await client.post(
            "/api/v1/detect/", params={name: odd}, content=body, headers=raw_headers
        )
    return await client.post(INFER, content=body, headers=raw_headers)


async def test_no_mutated_request_is_a_crash_and_none_leaves_anything_behind(
    soaked: Callable[[int], int],
) -> None:
    chance = random.Random(20261123)
    fronts = Fronts(FakeTier())
    statuses: dict[int, int] = {}
    async with fronts.client() as client:
        for number in range(soaked(N_HOSTILE)):
            if number == 50:
                tracemalloc.start()
            response = await sent(client, chance)
            fronts.tier.inquiries.clear()
            fronts.moment.at_s += 1.0
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            assert response.status_code < 500, (number, response.text)
        n_bytes, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert statuses.keys() > {200, 400}
    assert fronts.bodies.n_bytes == 0
    assert n_bytes < 8 * 1024 * 1024


async def test_deeply_nested_values_are_no_crash() -> None:
    data: object = 1
    for _ in range(400):
        data = [data]
    async with Fronts().client() as client:
        tensor = {"name": "pixels", "datatype": "UINT8", "shape": [1, 1, 1, 3], "data": data}
        response = await client.post(INFER, json={"inputs": [tensor]})
    assert response.status_code == 400


async def test_a_shape_that_overflows_costs_nothing() -> None:
    async with Fronts().client() as client:
        for shape in ([2**31, 2**31, 2**31, 3], [2**63 - 1] * 4, [0, 2**63 - 1, 1, 3]):
            tensor = {"name": "pixels", "datatype": "UINT8", "shape": shape}
            body, headers = binary((tensor, b""))
            response = await client.post(INFER, content=body, headers=headers)
            assert response.status_code == 400, (shape, response.text)


async def test_names_of_models_are_only_names() -> None:
    async with Fronts().client() as client:
        for name in ("..%2f..%2fetc", "%00", "a" * 3000, "FAKE", f"{MODEL}%20"):
            response = await client.get(f"/v2/models/{name}")
            assert response.status_code == 404
