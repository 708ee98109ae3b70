"""What tests build on builds."""

from tests.factories import make_event, make_result, make_sample
from webapp.accounts.models import Organization, User
from webapp.fleet.models import Bundle, Camera


def test_it_works(camera: Camera, bundle: Bundle, acme: Organization) -> None:
    result = make_result(camera, bundle)
    sample = make_sample(camera, bundle)
    event = make_event(acme, camera=camera)
    assert result.n_detections == 2
    assert sample.picture.path.startswith(str(acme.id))
    assert event.organization == acme


def test_people_see_their_own_organization(
    camera: Camera, alice: User, olga: User, bob: User, charlie: User
) -> None:
    for member in (alice, olga, bob):
        assert camera in Camera.objects.for_actor(member)
    assert camera not in Camera.objects.for_actor(charlie)
