"""Pages by key, not by offset: the hundredth costs what the first does."""

from typing import TYPE_CHECKING, TypeVar

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

if TYPE_CHECKING:
    from collections.abc import Sequence

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class NewestFirst(CursorPagination):
    """Rows newest first by primary key (UUIDv7 and serials rise with time)."""

    ordering: str | tuple[str, ...] = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 500

    def paginate_queryset(
        self,
        queryset: "QuerySet[M, R] | Sequence[R]",
        request: Request,
        view: APIView | None = None,
    ) -> list[R] | None:
        """Return the page that the cursor names; a cursor made up by somebody is a 404."""
        try:
            page: list[R] | None = super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, OverflowError, DataError) as error:
            raise NotFound(self.invalid_cursor_message) from error
        return page


class NewestCaptureFirst(NewestFirst):
    """Rows newest first by when their frame was captured."""

    ordering = ("-captured_at", "-pk")  # ties have an order too


class NewestOccurrenceFirst(NewestFirst):
    """Rows newest first by when they happened."""

    ordering = ("-occurred_at", "-pk")
