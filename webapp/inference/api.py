"""API keys, what was used, and what is served, over HTTP."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.accounts.models import Role
from webapp.accounts.permissions import IsMember, IsOperator
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedRows, OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.pagination import NewestFirst
from webapp.common.problems import ApiProblem
from webapp.inference.keys import (
    ALL_SCOPES,
    MAX_BURST,
    MAX_PICTURES_PER_DAY,
    MAX_PICTURES_PER_S,
    KeyTerms,
    TooManyKeys,
    create_key,
    revoke_key,
)
from webapp.inference.models import ApiKey, UsageHour
from webapp.inference.serving import MAX_WEIGHT, BadRoute, Routed, SharedHub, route_model
from webapp.inference.standing import ModelRow, model_rows

KEY_EXAMPLE: Final = {
    "name": "Parking app",
    "scopes": ["detect", "models"],
    "pictures_per_s": 10,
    "burst": 20,
    "pictures_per_day": 100_000,
}
_KINDS: Final = [("key", "An API key"), ("agent", "An agent"), ("hub", "The hub's own page")]


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A program's right to have pictures judged."""

    organization = serializers.UUIDField(
        source="organization_id",
        required=False,
        help_text="Needed by who is in several organizations.",
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField([(scope, scope) for scope in ALL_SCOPES]),
        min_length=1,
        max_length=len(ALL_SCOPES),
        required=False,
        help_text="`detect`: have pictures judged; `models`: read what is served.",
    )
    pictures_per_s = serializers.FloatField(
        min_value=0.01, max_value=MAX_PICTURES_PER_S, required=False
    )
    burst = serializers.IntegerField(
        min_value=1, max_value=MAX_BURST, required=False, help_text="Pictures at once."
    )
    pictures_per_day = serializers.IntegerField(
        min_value=1,
        max_value=MAX_PICTURES_PER_DAY,
        required=False,
        allow_null=True,
        help_text="Answered ones, of a day of UTC; null: no limit.",
    )
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "organization",
            "name",
            "shown",
            "scopes",
            "pictures_per_s",
            "burst",
            "pictures_per_day",
            "created_by",
            "created_at",
            "revoked_at",
            "last_used_at",
        )
        read_only_fields = ("id", "shown", "created_at", "revoked_at", "last_used_at")


class NewApiKeySerializer(serializers.Serializer[Any]):
    """A key with its secret."""

    key = ApiKeySerializer()
    secret = serializers.CharField(
        read_only=True, help_text="Shown this once; the hub keeps a hash."
    )


class ApiKeyViewSet(OwnedViewSet[ApiKey]):
    """Programs' rights to have pictures judged, with their limits."""

    queryset = ApiKey.objects.select_related("created_by")
    serializer_class = ApiKeySerializer
    needed = Role.ADMIN

    @extend_schema(
        request=ApiKeySerializer,
        responses={HTTPStatus.CREATED: NewApiKeySerializer},
        examples=[OpenApiExample("For a program", value=KEY_EXAMPLE, request_only=True)],
    )
    def create(self, request: Request) -> Response:
        """Make a key. The answer is the only place where its secret is ever shown."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        organization = chosen_organization(
            actor_of(request), Role.ADMIN, organization_id=fields.pop("organization_id", None)
        )
        if "scopes" in fields:
            fields["scopes"] = tuple(dict.fromkeys(fields["scopes"]))
        try:
            made = create_key(organization, KeyTerms(**fields), by=actor_of(request), at=now())
        except TooManyKeys as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-keys", str(error)) from error
        body = {"key": self.get_serializer(made.key).data, "secret": made.secret}
        return Response(body, HTTPStatus.CREATED)

    @extend_schema(request=None, operation_id="api_keys_revoke")
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Call a key off for good; it works for at most half a minute longer."""
        key = revoke_key(self.get_object(), at=now())
        return Response(self.get_serializer(key).data)


class NewestHourFirst(NewestFirst):
    """Rows newest first by their hour."""

    ordering = ("-hour_at", "-pk")


class UsageSerializer(serializers.ModelSerializer[UsageHour]):
    """What one key, agent or person had done with one model in one hour."""

    class Meta:
        model = UsageHour
        fields = (
            "grant_id",
            "kind",
            "model",
            "hour_at",
            "n_answered",
            "n_refused",
            "n_late",
            "n_failed",
            "n_bad",
            "n_bytes",
            "busy_ms",
        )


@extend_schema_view(
    list=extend_schema(
        operation_id="inference_usage_list", summary="What was used, by hour, key and model"
    )
)
class UsageViewSet(ListModelMixin, OwnedRows[UsageHour]):
    """What was used of the inference tier."""

    queryset = UsageHour.objects.all()
    serializer_class = UsageSerializer
    pagination_class = NewestHourFirst
    needed = Role.OPERATOR
    filters: ClassVar = {
        "grant": Allowed.id_of("grant_id", "key, agent or person"),
        "kind": Allowed.one_of("kind", _KINDS),
        "model": Allowed("model", serializers.CharField(max_length=64), "Only of this model."),
        "from": Allowed.since("hour_at"),
        "to": Allowed.until("hour_at"),
    }


class VersionSerializer(serializers.Serializer[Any]):
    """A version of a model, and how much of what comes it takes."""

    digest = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    state = serializers.CharField()
    reason = serializers.CharField(help_text="Why it is not ready, in words.")
    memory_bytes = serializers.IntegerField()
    weight = serializers.FloatField()
    is_shadow = serializers.BooleanField(help_text="It judges copies; nobody waits for it.")
    share = serializers.FloatField(help_text="Of what names no version, 0 to 1.")


class ServedModelSerializer(serializers.Serializer[Any]):
    """What is served under a name."""

    model = serializers.CharField()
    versions = VersionSerializer(many=True)
    n_waiting = serializers.IntegerField(help_text="Pictures, over all tiers that are here.")
    wait_ms = serializers.FloatField(help_text="That a picture that comes now has to expect.")
    pictures_per_s = serializers.FloatField(help_text="What they judge at full load.")


class RoutedSerializer(serializers.Serializer[Any]):
    """How much of what comes a version is to take."""

    digest = serializers.RegexField(r"^[0-9a-f]{32}$")
    weight = serializers.FloatField(min_value=0.0, max_value=MAX_WEIGHT)
    is_shadow = serializers.BooleanField(default=False)


class RouteSerializer(serializers.Serializer[Any]):
    """Which versions share what comes to a model; those that are left out are not loaded."""

    model = serializers.CharField(max_length=64)
    versions = RoutedSerializer(many=True)


ROUTE_EXAMPLE: Final = {
    "model": "nanodet-g",
    "versions": [
        {"digest": "00112233445566778899aabbccddeeff", "weight": 9},
        {"digest": "ffeeddccbbaa99887766554433221100", "weight": 1},
    ],
}


class ServedModelsView(APIView):
    """What the hub's inference tiers serve."""

    def get_permissions(self) -> list[BasePermission]:
        return [IsOperator() if self.request.method == "PATCH" else IsMember()]

    @extend_schema(
        operation_id="inference_models_list",
        tags=["inference"],
        responses=ServedModelSerializer(many=True),
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Say what is served, how its versions share what comes, and how long one waits."""
        return _served(model_rows(at=now()))

    @extend_schema(
        operation_id="inference_models_route",
        tags=["inference"],
        request=RouteSerializer,
        responses=ServedModelSerializer(many=True),
        examples=[OpenApiExample("One in ten to the new one", ROUTE_EXAMPLE, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        """Change how the versions of a model share what comes. Tiers follow within seconds."""
        serializer = RouteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        versions = [Routed(**dict(each)) for each in wanted["versions"]]
        try:
            route_model(wanted["model"], versions, by=actor_of(request), at=now())
        except BadRoute as error:
            raise serializers.ValidationError({error.field: [str(error)]}) from error
        except SharedHub as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "shared-hub", str(error)) from error
        return _served(model_rows(at=now()))


def _served(rows: list[ModelRow]) -> Response:
    response = Response(ServedModelSerializer(rows, many=True).data)
    response["Cache-Control"] = "private, no-store"
    return response
