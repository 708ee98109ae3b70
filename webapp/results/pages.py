"""Pages of results, also where looking for them takes long."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.common.pagination import NewestFirst
from webapp.results.models import Result
from webapp.results.places import Place
from webapp.results.search import Search


class ResultPages(NewestFirst):
    """Newest capture first. A page lies between two places, whatever comes before and after it."""

    _upper: Place | None = None
    """There may be more from here on; none: this is the newest page."""
    _lower: Place | None = None
    """There may be more before this; none: this is the oldest page."""
    _searched_to: datetime | None = None

    def page_of(self, search: Search, request: Request) -> Sequence[Result]:
        """Return the page that the cursor names; a cursor made up by somebody is a 404."""
        self.request, self.base_url = request, request.build_absolute_uri()
        n_rows = self.get_page_size(request)
        assert n_rows is not None
        cursor = self.decode_cursor(request)
        if cursor is None:
            page = search.page(n_rows, is_newest_first=True)
            self._lower = page.border
        else:
            place = self._place_of(cursor)
            if cursor.reverse:
                page = search.within(since=place).page(n_rows, is_newest_first=False)
                self._lower, self._upper = place, page.border
            else:
                page = search.within(until=place).page(n_rows, is_newest_first=True)
                self._lower, self._upper = page.border, place
        if page.is_cut_short and page.border is not None:
            self._searched_to = page.border.instant
        return page.found[::-1] if cursor is not None and cursor.reverse else page.found

    def get_next_link(self) -> str | None:
        return self._link(self._lower, is_back=False)

    def get_previous_link(self) -> str | None:
        return self._link(self._upper, is_back=True)

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["searched_to"] = self._searched_to
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        answer = super().get_paginated_response_schema(schema)
        answer["properties"]["searched_to"] = {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "There was not enough time to fill the page, even to find anything for"
            " it: so far was looked, `next` (or `previous`, coming from there) goes on. Null: the"
            " page is whole. Only where `label` or `zone` is asked for.",
        }
        return answer

    def _place_of(self, cursor: Any) -> Place:
        try:
            return Place.read(cursor.position or "")
        except ValueError as error:
            raise NotFound(self.invalid_cursor_message) from error

    def _link(self, place: Place | None, *, is_back: bool) -> str | None:
        if place is None:
            return None
        position: Any = str(place)  # a cursor's may be any text, whatever its stubs say
        return self.encode_cursor(Cursor(offset=0, reverse=is_back, position=position))
