"""Pages by key, not by offset: the hundredth costs what the first does."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Rows newest first by primary key (UUIDv7 and serials rise with time)."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 500
