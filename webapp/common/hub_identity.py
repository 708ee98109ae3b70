"""Which hub this is: what agents bind their signatures to."""

from uuid import UUID, uuid4

from webapp.common.models import Hub


def hub_id() -> UUID:
    """Return the id of this hub; the first caller makes it, for good."""
    hub, _ = Hub.objects.get_or_create(number=1, defaults={"hub_id": uuid4()})
    return hub.hub_id
