"""What a labeler must hear, as the API says it: 409 where the item moved on, 400 by field."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from rest_framework import serializers

from webapp.common.problems import ApiProblem
from webapp.review.boxes import BadBox
from webapp.review.exchange import BadBody
from webapp.review.leasing import ItemMoved


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the actions raise into problems."""
    try:
        yield
    except ItemMoved as moved:
        raise ApiProblem(HTTPStatus.CONFLICT, "item-moved", str(moved)) from moved
    except (BadBox, BadBody) as bad:
        raise serializers.ValidationError({bad.field: [str(bad)]}) from bad
