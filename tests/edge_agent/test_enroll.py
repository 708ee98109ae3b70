"""Joining a hub: a key that stays here, a token that is used once, and refusals in words."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.enroll import NotJoined, enroll
from edge_agent.identity import BadIdentity, IdentityFiles, Membership, NotEnrolled
from processing.wire.identity import EnrollRequest, EnrollResponse, Problem, enroll_bytes

URL = "https://hub.example.org"
TOKEN = "fw1_0123_secret"
ANSWER = EnrollResponse(agent_id=UUID(int=1), hub_id=UUID(int=2), organization="Farm", site="Barn")


class HubPages:
    """Answers enrolment as told; keeps what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.asked: list[EnrollRequest] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        assert request.url == f"{URL}/api/v1/agents/enroll"
        self.asked.append(msgspec.json.decode(request.read(), type=EnrollRequest))
        return self._answer(request)


def ok(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(201, content=msgspec.json.encode(ANSWER))


def join(
    folder: Path, pages: Callable[[httpx.Request], httpx.Response], url: str = URL
) -> Membership:
    return enroll(
        IdentityFiles(folder), hub_url=url, token=TOKEN, name="barn",
        transport=httpx.MockTransport(pages),
    )  # fmt: skip


def test_it_works(tmp_path: Path) -> None:
    pages = HubPages(ok)
    membership = join(tmp_path, pages)
    [asked] = pages.asked
    assert (asked.token, asked.name) == (TOKEN, "barn")
    Ed25519PublicKey.from_public_bytes(asked.public_key).verify(
        asked.signature, enroll_bytes(token=TOKEN, public_key=asked.public_key)
    )
    identity = IdentityFiles(tmp_path).load()
    assert identity.membership == membership
    assert (membership.agent_id, membership.hub_url) == (UUID(int=1), URL)


def test_the_key_is_for_its_user_alone_and_never_leaves(tmp_path: Path) -> None:
    pages = HubPages(ok)
    join(tmp_path, pages)
    files = IdentityFiles(tmp_path)
    assert files.key_path.stat().st_mode & 0o777 == 0o600
    assert files.is_private()
    assert "PRIVATE" not in files.path.read_text()


def test_asking_again_shows_the_same_key(tmp_path: Path) -> None:
    pages = HubPages(ok)
    join(tmp_path, pages)
    join(tmp_path, pages)
    assert pages.asked[0].public_key == pages.asked[1].public_key


def test_a_forgotten_key_is_replaced_by_another(tmp_path: Path) -> None:
    pages = HubPages(ok)
    join(tmp_path, pages)
    IdentityFiles(tmp_path).forget_key()
    join(tmp_path, pages)
    assert pages.asked[0].public_key != pages.asked[1].public_key


@pytest.mark.parametrize("words", ["has been used", "has expired", "no such join token"])
def test_the_hub_s_reason_is_told(tmp_path: Path, words: str) -> None:
    problem = Problem(type="about:blank", title="Conflict", status=409, detail=f"the token {words}")

    def refuse(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(409, content=msgspec.json.encode(problem))

    with pytest.raises(NotJoined, match=words):
        join(tmp_path, refuse)
    with pytest.raises(NotEnrolled):
        IdentityFiles(tmp_path).load()


def test_wrong_fields_are_named(tmp_path: Path) -> None:
    problem = {"type": "x", "title": "Bad", "status": 400, "errors": {"name": ["too long"]}}
    with pytest.raises(NotJoined, match="name: too long"):
        join(tmp_path, lambda _request: httpx.Response(400, content=json.dumps(problem)))


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b"<html>"), httpx.Response(500, content=b"oops"),
        httpx.Response(302, headers={"Location": "https://evil.example.org"}),
        httpx.Response(201, content=b'{"agent_id": 1}'),
        httpx.Response(200, content=b" " * 100_000),
    ],
)  # fmt: skip
def test_what_is_no_hub_is_told(tmp_path: Path, response: httpx.Response) -> None:
    with pytest.raises(NotJoined, match=r"no hub|to be a hub's"):
        join(tmp_path, lambda _request: response)


def test_a_hub_out_of_reach_is_told(tmp_path: Path) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with pytest.raises(NotJoined, match="cannot be reached"):
        join(tmp_path, nobody)


def test_a_token_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    pages = HubPages(ok)
    with pytest.raises(NotJoined, match="not encrypted"):
        join(tmp_path, pages, url="http://hub.example.org")
    assert pages.asked == []


def test_a_token_that_cannot_be_one_is_not_even_sent(tmp_path: Path) -> None:
    pages = HubPages(ok)
    with pytest.raises(NotJoined, match="token"):
        enroll(
            IdentityFiles(tmp_path), hub_url=URL, token="x", name="barn",
            transport=httpx.MockTransport(pages),
        )  # fmt: skip
    assert pages.asked == []


@pytest.mark.parametrize("name", ["agent.key", "identity.json"])
def test_damaged_files_are_told(tmp_path: Path, name: str) -> None:
    join(tmp_path, HubPages(ok))
    (tmp_path / name).write_text("rubbish")
    with pytest.raises(BadIdentity, match=name.replace(".", r"\.")):
        IdentityFiles(tmp_path).load()


def test_a_lost_key_is_told(tmp_path: Path) -> None:
    join(tmp_path, HubPages(ok))
    (tmp_path / "agent.key").unlink()
    with pytest.raises(BadIdentity, match="gone"):
        IdentityFiles(tmp_path).load()
