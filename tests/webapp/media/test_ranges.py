"""A player asks for pieces of a file and gets them."""

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_blob, make_clip, make_event
from webapp.accounts.models import User
from webapp.events.models import Clip
from webapp.fleet.models import Agent
from webapp.media import serving
from webapp.media.ranges import Piece, Unsatisfiable, piece_asked

CONTENT = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 4


@pytest.fixture
def clip(agent: Agent) -> Clip:
    blob = make_blob(agent.organization, CONTENT, content_type="video/mp4")
    event = make_event(agent.organization, agent=agent)
    return make_clip(event, state="here", blob=blob)


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        ("bytes=0-", Piece(0, 9)),
        ("bytes=0-99", Piece(0, 9)),
        ("bytes=90-200", Piece(90, 99)),
        ("bytes=95-97", Piece(95, 97)),
        ("bytes=-5", Piece(95, 99)),
        ("bytes=-500", Piece(0, 9)),
        ("", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=one-two", None),
    ],
)
def test_it_works(header: str, piece: Piece | None) -> None:
    assert piece_asked(header, size=100, most=10) == piece


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_what_the_file_does_not_have_is_not_given(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        piece_asked(header, size=100, most=10)


@given(
    st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,20}-[0-9]{0,20}", fullmatch=True),
    st.integers(0, 1000),
)
def test_whatever_is_asked_a_piece_lies_in_the_file(header: str, size: int) -> None:
    try:
        piece = piece_asked(header, size=size, most=64)
    except Unsatisfiable:
        return
    if piece is not None:
        assert 0 <= piece.first <= piece.last < size
        assert piece.size <= 64


def test_a_player_gets_the_piece_that_it_asks_for(client: Client, olga: User, clip: Clip) -> None:
    client.force_login(olga)
    answer = client.get(f"/media/clips/{clip.pk}/", headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, b"ftyp")
    assert answer.headers["Content-Range"] == f"bytes 4-7/{len(CONTENT)}"
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_many_pieces_make_the_whole(
    client: Client, olga: User, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MAX_PIECE_BYTES", 100)
    client.force_login(olga)
    got = b""
    while len(got) < len(CONTENT):
        answer = client.get(f"/media/clips/{clip.pk}/", headers={"Range": f"bytes={len(got)}-"})
        assert answer.status_code == 206
        assert 0 < len(answer.content) <= 100
        got += answer.content
    assert got == CONTENT


def test_a_piece_beyond_the_end_is_told(client: Client, olga: User, clip: Clip) -> None:
    client.force_login(olga)
    answer = client.get(f"/media/clips/{clip.pk}/", headers={"Range": "bytes=99999-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_of_another_version_the_whole_is_sent(client: Client, olga: User, clip: Clip) -> None:
    client.force_login(olga)
    headers = {"Range": "bytes=4-7", "If-Range": '"older"'}
    answer = client.get(f"/media/clips/{clip.pk}/", headers=headers)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == CONTENT  # type: ignore[attr-defined]  # a file response


@pytest.mark.django_db(transaction=True)
async def test_the_whole_is_streamed_by_the_servers_that_we_run(
    async_client: AsyncClient, olga: User, clip: Clip
) -> None:
    await async_client.aforce_login(olga)
    answer = await async_client.get(f"/media/clips/{clip.pk}/")
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    pieces = [piece async for piece in answer]  # type: ignore[attr-defined]  # a file response
    assert b"".join(pieces) == CONTENT
    await sync_to_async(connections.close_all)()  # of the thread that answered


def test_strangers_and_labelers_see_no_clip(
    client: Client, charlie: User, bob: User, clip: Clip
) -> None:
    for user, status in ((charlie, 404), (bob, 403)):
        client.force_login(user)
        assert client.get(f"/media/clips/{clip.pk}/").status_code == status


def test_a_clip_that_is_not_here_is_not_found(client: Client, olga: User, clip: Clip) -> None:
    client.force_login(olga)
    assert client.get(f"/media/clips/{make_clip(clip.event).pk}/").status_code == 404
