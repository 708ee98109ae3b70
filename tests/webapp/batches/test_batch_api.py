"""Programs begin batches, send pictures, read what came of them and steer; bad input is named."""

from http import HTTPStatus
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import make_user
from tests.processing.exchange.archives import zipped
from tests.webapp.batches.conftest import Work, pictures
from webapp.accounts.models import Organization, Role, User
from webapp.batches.models import Batch, WorkerBundle
from webapp.batches.uploads import MAX_BYTES, upload_path
from webapp.common.request_limits import MAX_BODY_BYTES, most_bytes
from webapp.fleet.models import Camera

PATH = "/api/v1/batches/"
JSON = "application/json"
ZIP = "application/zip"


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def wish(bundle: WorkerBundle, /, **facts: object) -> dict[str, object]:
    return {"name": "Street", "source": "upload", "bundle": bundle.digest} | facts


def test_it_works(operator: Client, tiny: WorkerBundle, work: Work) -> None:
    answer = operator.post(PATH, wish(tiny, file_name="a.zip"), content_type=JSON)
    assert answer.status_code == HTTPStatus.CREATED, answer.content
    begun = answer.json()
    assert (begun["state"], begun["n_items"]) == ("awaited", 0)
    sent = operator.post(begun["upload"], zipped(pictures(3)), content_type=ZIP)
    assert sent.status_code == HTTPStatus.ACCEPTED, sent.content
    work()
    batch = operator.get(sent.headers["Location"]).json()
    assert (batch["state"], batch["n_judged"], batch["n_found"]) == ("done", 3, 3)
    assert batch["upload"] is None
    found = operator.get(f"{PATH}{begun['id']}/pictures/", {"first": 1, "most": 1}).json()
    assert [each["picture"] for each in found] == ["00001.png"]
    assert found[0]["detections"][0]["label"] == "green"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"bundle": "0" * 32}, "bundle"),
        ({"bundle": "../../etc"}, "bundle"),
        ({"source": "url"}, "source"),
        ({"min_score": 1.1}, "min_score"),
        ({"min_score": "nan"}, "min_score"),
        ({"source": "folder"}, "folder"),
        ({"source": "folder", "folder": "../secrets"}, "folder"),
        ({"source": "folder", "folder": "/etc"}, "folder"),
        ({"source": "folder", "folder": "a/./b"}, "folder"),
        ({"source": "samples", "cameras": [str(uuid4())]}, "cameras"),
        ({"source": "samples", "cameras": "all"}, "cameras"),
        ({"source": "samples", "from": "2026-05-02T00:00Z", "to": "2026-05-01T00:00Z"}, "to"),
        ({"source": "samples", "from": "yesterday"}, "from"),
        ({"organization": str(uuid4())}, "organization"),
    ],
)  # fmt: skip
def test_bad_input_is_named(
    operator: Client, tiny: WorkerBundle, facts: dict[str, object], field: str
) -> None:
    answer = operator.post(PATH, wish(tiny, **facts), content_type=JSON)
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.content
    assert field in answer.json()["errors"]
    assert not Batch.objects.exists()


def test_a_camera_of_somebody_else_is_not_there(
    operator: Client, tiny: WorkerBundle, camera: Camera, charlie: User
) -> None:
    mine = wish(tiny, source="samples", cameras=[str(camera.pk)])
    assert operator.post(PATH, mine, content_type=JSON).status_code == HTTPStatus.CREATED
    operator.force_login(charlie)
    assert operator.post(PATH, mine, content_type=JSON).status_code == HTTPStatus.BAD_REQUEST


def test_who_may_only_read_reads(client: Client, bob: User, tiny: WorkerBundle) -> None:
    client.force_login(bob)
    assert client.get(PATH).status_code == HTTPStatus.OK
    assert client.get(f"{PATH}bundles/").json()[0]["name"] == "tiny"
    answer = client.post(PATH, wish(tiny), content_type=JSON)
    assert answer.status_code == HTTPStatus.FORBIDDEN


def test_steering_is_refused_in_words_when_it_makes_no_sense(
    operator: Client, tiny: WorkerBundle
) -> None:
    batch = operator.post(PATH, wish(tiny), content_type=JSON).json()
    for act in ("pause", "resume", "retry"):
        answer = operator.post(f"{PATH}{batch['id']}/{act}/")
        assert answer.status_code == HTTPStatus.CONFLICT
        assert answer.json()["type"] == "urn:farwatch:problem:not-now"
        assert "being sent" in answer.json()["detail"]
    assert operator.post(f"{PATH}{batch['id']}/cancel/").json()["state"] == "cancelled"


def test_only_a_batch_that_waits_takes_a_file_and_only_pictures(
    operator: Client, acme: Organization, tiny: WorkerBundle
) -> None:
    begun = operator.post(PATH, wish(tiny), content_type=JSON).json()
    assert operator.post(begun["upload"], b"hello", content_type=ZIP).status_code == 400
    assert operator.post(begun["upload"], zipped(pictures(1)), content_type=ZIP).status_code == 202
    again = operator.post(begun["upload"], zipped(pictures(1)), content_type=ZIP)
    assert again.status_code == HTTPStatus.CONFLICT
    other = make_user("omar", organization=acme, role=Role.OPERATOR)
    operator.force_login(other)
    assert operator.post(begun["upload"], b"", content_type=ZIP).status_code == 404


def test_only_a_signed_address_takes_much(acme: Organization) -> None:
    assert most_bytes(upload_path(uuid4())) == MAX_BYTES
    assert most_bytes("/uploads/batches/made-up") == MAX_BODY_BYTES


@pytest.mark.parametrize("query", [{"first": -1}, {"most": 0}, {"most": 501}, {"last": 1}])
def test_a_place_that_is_none_is_named(
    operator: Client, tiny: WorkerBundle, query: dict[str, int]
) -> None:
    batch = operator.post(PATH, wish(tiny), content_type=JSON).json()
    answer = operator.get(f"{PATH}{batch['id']}/pictures/", query)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert set(answer.json()["errors"]) == set(query)
