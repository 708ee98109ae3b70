"""The hub's clock, in one place; everything else takes the time as an argument."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """Return the current instant, aware UTC."""
    return timezone.now()
