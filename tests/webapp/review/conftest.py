"""A camera with doubtful pictures in the queue."""

import pytest

from tests.factories import make_review_item, make_sample, make_user
from webapp.accounts.models import Organization, Role, User
from webapp.fleet.models import Bundle, Camera
from webapp.review.models import ReviewItem, ReviewQueue


@pytest.fixture
def item(camera: Camera, bundle: Bundle) -> ReviewItem:
    """The one item of the queue: a person and a bicycle, both in doubt."""
    return make_review_item(make_sample(camera, bundle))


@pytest.fixture
def queue(item: ReviewItem) -> ReviewQueue:
    return item.queue


@pytest.fixture
def bea(acme: Organization) -> User:
    """Another labeler of Acme."""
    return make_user("bea", organization=acme, role=Role.LABELER)
