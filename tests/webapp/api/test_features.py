"""What pictures are like, over HTTP: by camera, feature and bucket, for who may see it."""

from datetime import timedelta

import pytest
from django.test import Client

from processing.wire.messages import FrameFeatures
from tests.factories import START
from webapp.accounts.models import User
from webapp.fleet.models import Camera
from webapp.monitoring import series
from webapp.monitoring.folding import Measured, fold_features

WINDOW = "from=2026-11-22T12:30:00Z&to=2026-11-22T14:00:00Z"


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


@pytest.fixture
def told(camera: Camera) -> Camera:
    """A camera of three frames, at 12:00, 12:40 and 13:10."""
    fold_features(
        Measured(
            camera.organization_id.hex,
            camera.id.hex,
            START + timedelta(minutes=minutes),
            FrameFeatures(brightness, 0.2, 120.0, 2.5, 0.01),
        )
        for minutes, brightness in ((0, 0.2), (40, 0.4), (70, 0.6))
    )
    return camera


def test_it_works(operator: Client, told: Camera) -> None:
    said = operator.get(f"/api/v1/features/?{WINDOW}&feature=brightness").json()["features"]
    assert [(each["bucket_at"], each["p50"]) for each in said] == [
        ("2026-11-22T12:40:00Z", 0.4), ("2026-11-22T13:10:00Z", 0.6),
    ]  # fmt: skip
    assert said[0]["camera"] == str(told.id)
    assert said[0]["n_frames"] == 1


def test_hours_are_whole_and_every_feature_is_told(operator: Client, told: Camera) -> None:
    said = operator.get(f"/api/v1/features/?{WINDOW}&bucket=hour").json()["features"]
    assert [each["feature"] for each in said[:5]] == [
        "brightness", "contrast", "sharpness", "noise", "motion",
    ]  # fmt: skip
    first = said[0]
    assert (first["n_frames"], first["least"], first["most"]) == (2, 0.2, 0.4)
    assert first["mean"] == pytest.approx(0.3)


def test_strangers_see_nothing(client: Client, charlie: User, told: Camera) -> None:
    client.force_login(charlie)
    assert client.get(f"/api/v1/features/?{WINDOW}&camera={told.id}").json() == {"features": []}


def test_labelers_do_not_read_features(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/api/v1/features/").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2020-01-01T00:00:00Z", "from"),
        ("bucket=second", "bucket"),
        ("feature=colour", "feature"),
        ("camera=1", "camera"),
        ("sort=mean", "sort"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    operator: Client, query: str, field: str
) -> None:
    answer = operator.get(f"/api/v1/features/?{query}")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_too_much_at_once_is_refused(
    operator: Client, told: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MAX_ROWS", 1)
    answer = operator.get(f"/api/v1/features/?{WINDOW}")
    assert answer.status_code == 400
    assert "one camera" in answer.json()["errors"]["from"][0]
