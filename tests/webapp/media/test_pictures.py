"""Pictures are served through the sample that owns them, to its organization's members."""

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from tests.factories import JPEG, make_blob, make_sample
from webapp.accounts.models import User
from webapp.datasets.models import Sample
from webapp.fleet.models import Bundle, Camera


@pytest.fixture
def sample(camera: Camera, bundle: Bundle) -> Sample:
    small = make_blob(camera.organization, JPEG[:-2] + b"\xff\xd9small")
    return make_sample(camera, bundle, thumbnail=small)


def body(answer: object) -> bytes:
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]  # a file response


def test_it_works(client: Client, bob: User, sample: Sample) -> None:
    client.force_login(bob)
    answer = client.get(f"/media/{sample.id}/")
    assert answer.status_code == 200
    assert body(answer) == JPEG
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert "Cookie" in answer.headers["Vary"]


def test_the_thumbnail_is_another_file(client: Client, bob: User, sample: Sample) -> None:
    client.force_login(bob)
    assert body(client.get(f"/media/{sample.id}/thumbnail/")) != JPEG


def test_what_the_browser_has_is_not_sent_again(client: Client, bob: User, sample: Sample) -> None:
    client.force_login(bob)
    whole = client.get(f"/media/{sample.id}/")
    assert body(whole) == JPEG
    etag = whole.headers["ETag"]
    answer = client.get(f"/media/{sample.id}/", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert answer.headers["ETag"] == etag


def test_a_stranger_gets_nothing_not_even_with_the_etag(
    client: Client, charlie: User, sample: Sample
) -> None:
    client.force_login(charlie)
    etag = f'"{sample.picture.sha256}"'
    for path in ("", "thumbnail/"):
        answer = client.get(f"/media/{sample.id}/{path}", headers={"If-None-Match": etag})
        assert answer.status_code == 404


def test_nobody_is_sent_to_the_login(client: Client, sample: Sample) -> None:
    assert client.get(f"/media/{sample.id}/").status_code == 302


@pytest.mark.parametrize("state", [Sample.State.RECEIVED, Sample.State.BROKEN])
def test_what_nobody_has_checked_is_not_shown(
    client: Client, bob: User, sample: Sample, state: str
) -> None:
    Sample.objects.update(state=state)
    client.force_login(bob)
    assert client.get(f"/media/{sample.id}/").status_code == 404


def test_a_file_that_is_gone_is_not_found(client: Client, bob: User, sample: Sample) -> None:
    default_storage.delete(sample.picture.path)
    client.force_login(bob)
    assert client.get(f"/media/{sample.id}/").status_code == 404


@pytest.mark.parametrize(
    "path", ["../secret_key", "%2e%2e/secret_key", "%252e%252e%252f", "a%00b", "//etc/passwd"]
)
def test_names_of_files_are_no_addresses(client: Client, bob: User, path: str) -> None:
    client.force_login(bob)
    assert client.get(f"/media/{path}").status_code == 404


def test_a_write_is_refused(client: Client, bob: User, sample: Sample) -> None:
    client.force_login(bob)
    assert client.post(f"/media/{sample.id}/").status_code == 405
