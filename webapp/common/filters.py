"""Query parameters of lists: a table of what is allowed; anything else is refused by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

M = TypeVar("M", bound=Model)
R = TypeVar("R")

_OF_PAGES: Final = frozenset({"cursor", "page_size", "format"})


@dataclass(frozen=True)
class Allowed:
    """A query parameter: the lookup it becomes, and the field that reads it."""

    lookup: str
    field: serializers.Field[Any, Any, Any, Any]
    help: str

    @classmethod
    def id_of(cls, lookup: str, what: str) -> "Allowed":
        return cls(lookup, serializers.UUIDField(), f"Only of this {what}.")

    @classmethod
    def since(cls, column: str) -> "Allowed":
        return cls(f"{column}__gte", serializers.DateTimeField(), "From this instant on.")

    @classmethod
    def until(cls, column: str) -> "Allowed":
        return cls(f"{column}__lt", serializers.DateTimeField(), "Before this instant.")

    @classmethod
    def one_of(cls, lookup: str, choices: list[tuple[str, str]]) -> "Allowed":
        return cls(lookup, serializers.ChoiceField(choices), "Only these.")


class HasFilters(Protocol):
    """A view with a table of query parameters."""

    filters: Mapping[str, Allowed]


class AllowedFilters(BaseFilterBackend):
    """Narrows a list by the view's `filters`, and by nothing else."""

    def filter_queryset(
        self, request: Request, queryset: "QuerySet[M, R]", view: APIView
    ) -> "QuerySet[M, R]":
        if getattr(view, "action", "list") != "list":
            return queryset
        values = read_filters(request, filters_of(view))
        # One keyword at a time, each from our table: nothing a stranger types names a column.
        for name, value in values.items():
            queryset = queryset.filter(**{filters_of(view)[name].lookup: value})
        return queryset

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the parameters in OpenAPI."""
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": allowed.help,
                "schema": _schema(allowed.field),
            }
            for name, allowed in filters_of(view).items()
        ]


def read_filters(request: Request, filters: Mapping[str, Allowed]) -> dict[str, object]:
    """Return the parameters that are there, read; raise a 400 problem that names the bad ones."""
    errors: dict[str, Any] = {}
    values: dict[str, object] = {}
    for name, text in request.query_params.items():
        if name in _OF_PAGES and name not in filters:
            continue
        if name not in filters:
            known = ", ".join(sorted(filters)) or "none"
            errors[name] = [f"There is no such filter. There are: {known}."]
            continue
        try:
            values[name] = filters[name].field.run_validation(text)
        except serializers.ValidationError as error:
            errors[name] = error.detail
    if errors:
        raise serializers.ValidationError(errors)
    return values


def filters_of(view: APIView) -> Mapping[str, Allowed]:
    return cast("HasFilters", view).filters if hasattr(view, "filters") else {}


def _schema(field: serializers.Field[Any, Any, Any, Any]) -> dict[str, object]:
    if isinstance(field, serializers.UUIDField):
        return {"type": "string", "format": "uuid"}
    if isinstance(field, serializers.DateTimeField):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, serializers.ChoiceField):
        return {"type": "string", "enum": list(field.choices)}
    return {"type": "string"}
