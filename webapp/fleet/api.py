"""The fleet over HTTP: sites, agents, cameras, join tokens."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

import msgspec
from django.db.models import Model, QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from msgspec import Struct
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import CreateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from processing.wire.camera import (
    ClipPolicy,
    MotionGate,
    OverflowPolicy,
    Privacy,
    Region,
    Schedule,
    Streams,
    Tiling,
)
from processing.wire.scene import Scene
from webapp.accounts.models import Role
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.problems import ApiProblem
from webapp.fleet.actions import (
    CameraInUse,
    TooManyCameras,
    add_camera,
    create_join_token,
    remove_camera,
    revoke_agent,
    update_camera,
)
from webapp.fleet.actions.sites import add_site, rename_site
from webapp.fleet.models import Agent, Camera, JoinToken, Site
from webapp.fleet.wishes import POLICIES, BadWish, plain, read_wish

CAMERA_EXAMPLE: Final = {
    "agent": "019ab400-0000-7000-8000-000000000000",
    "name": "Gate",
    "source": "rtsp://10.0.0.7:554/main",
    "analysed_fps": 10,
    "score_threshold": 0.4,
    "labels": ["person", "bicycle"],
}


@extend_schema_field({"type": "object"})
class WishField(serializers.Field[Any, Any, Any, Any]):
    """One of the wire's structs as JSON; what is wrong in it is said by the path of its field."""

    def __init__(self, kind: type[Struct], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kind = kind

    def to_internal_value(self, data: object) -> Any:
        try:
            return plain(read_wish(self._kind, data))
        except BadWish as bad:
            problem: Any = [str(bad)]
            for step in reversed(bad.path.split(".") if bad.path else []):
                problem = {step: problem}
            raise serializers.ValidationError(problem) from bad

    def to_representation(self, value: object) -> Any:
        return value


@extend_schema_field({"type": "object"})
class PolicyField(WishField):
    """One group of `Camera.policies`, as a field of its own: the others stay as they are."""

    def get_attribute(self, instance: Camera) -> Any:
        assert self.field_name is not None
        return plain(msgspec.convert(instance.policies.get(self.field_name, {}), self._kind))


@extend_schema_field({"type": "object", "nullable": True})
class FiguresField(serializers.JSONField):
    """An `ImageState`."""


class OwnRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a row that the actor may write to; any other is not there."""

    def get_queryset(self) -> QuerySet[Model]:
        view: OwnedViewSet[Any] = self.context["view"]
        rows = super().get_queryset()
        assert isinstance(rows, OwnedQuerySet)
        return rows.for_actor(actor_of(self.context["request"]), view.needed_to_write)


class SiteSerializer(serializers.ModelSerializer[Site]):
    organization = serializers.UUIDField(
        source="organization_id",
        required=False,
        help_text="Needed by who is in several organizations.",
    )

    class Meta:
        model = Site
        fields = ("id", "organization", "name")


class AgentSerializer(serializers.ModelSerializer[Agent]):
    is_online = serializers.SerializerMethodField(
        help_text="Connected, and heard of within three heartbeats."
    )
    n_cameras = serializers.SerializerMethodField()
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="What the agent says is wrong."
    )
    found_cameras = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        read_only=True,
        help_text="Cameras that answered on its network: suggestions.",
    )

    class Meta:
        model = Agent
        fields = (
            "id",
            "name",
            "site",
            "software",
            "is_online",
            "is_revoked",
            "enrolled_at",
            "last_seen_at",
            "desired_version",
            "reported_version",
            "clock_offset_ms",
            "n_pending",
            "n_cameras",
            "problems",
            "found_cameras",
        )
        read_only_fields = fields

    def get_is_online(self, agent: Agent) -> bool:
        return agent.is_online(at=now())

    def get_n_cameras(self, agent: Agent) -> int:
        return len(agent.cameras.all())


class CameraSerializer(serializers.ModelSerializer[Camera]):
    agent = OwnRelatedField(queryset=Agent.objects.all())
    labels = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=4096,
        required=False,
        help_text="Only these classes; empty for all.",
    )
    sample_policy = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        help_text="`low_score`, `high_score`, `every_s`, `random_share`; absent ones are default.",
    )
    streams = PolicyField(
        Streams, required=False, help_text="`transport` (tcp, udp) and `clip_source`."
    )
    region = PolicyField(
        Region, required=False, help_text="`left`, `top`, `right`, `bottom`, 0 to 1."
    )
    tiling = PolicyField(Tiling, required=False, help_text="`columns`, `rows`, `overlap`.")
    schedule = PolicyField(
        Schedule,
        required=False,
        help_text="`windows` of `days` (0 is Monday), `from_minute`, `to_minute`; `time_zone`.",
    )
    gate = PolicyField(MotionGate, required=False, help_text="`is_on`, `always_look_s`.")
    clips = PolicyField(
        ClipPolicy, required=False, help_text="`is_on`, `before_s`, `after_s`, `longest_s`."
    )
    privacy = PolicyField(Privacy, required=False, help_text="`zones`, `hides_faces`.")
    overflow = PolicyField(
        OverflowPolicy,
        required=False,
        help_text="`mode` (off, saturated, doubtful, always), `budget_ms`, `mb_per_day`,"
        " `money_per_day`, `jpeg_quality`, `max_width`, `model`.",
    )
    scene = WishField(
        Scene,
        required=False,
        help_text="`zones` and `lines`, with points 0 to 1, and `rules` about them.",
    )
    image = FiguresField(read_only=True, help_text="What its pictures are like.")

    class Meta:
        model = Camera
        fields = (
            "id",
            "agent",
            "name",
            "source",
            "is_enabled",
            "analysed_fps",
            "score_threshold",
            "labels",
            "sample_policy",
            *POLICIES,
            "scene",
            "state",
            "state_reason",
            "state_since_at",
            "fps",
            "n_frames",
            "n_dropped",
            "width",
            "height",
            "n_gated",
            "image",
        )
        read_only_fields = fields[fields.index("state") :]
        # Whether a name is free, and a source is one, is judged by the action.
        validators: ClassVar[list[object]] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Gather the policies into the one column that holds them."""
        policies = {name: attrs.pop(name) for name in POLICIES if name in attrs}
        return attrs | {"policies": policies} if policies else attrs

    def validate_agent(self, agent: Agent) -> Agent:
        if self.instance is not None and agent != self.instance.agent:
            raise serializers.ValidationError("A camera stays with its agent: add it to the other.")
        return agent


class JoinTokenSerializer(serializers.ModelSerializer[JoinToken]):
    site = OwnRelatedField(queryset=Site.objects.all())
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)

    class Meta:
        model = JoinToken
        fields = ("id", "site", "created_by", "created_at", "expires_at", "used_at", "agent")
        read_only_fields = ("id", "created_by", "created_at", "expires_at", "used_at", "agent")


class NewJoinTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(
        read_only=True, help_text="Shown this once; the hub keeps a hash."
    )


class SiteViewSet(CreateModelMixin, OwnedViewSet[Site]):
    """Places with cameras."""

    queryset = Site.objects.all()
    serializer_class = SiteSerializer
    needed = Role.OPERATOR

    def perform_create(self, serializer: serializers.BaseSerializer[Site]) -> None:
        fields = serializer.validated_data
        organization = chosen_organization(
            actor_of(self.request), Role.ADMIN, organization_id=fields.get("organization_id")
        )
        serializer.instance = add_site(organization, name=fields["name"], at=now())

    @extend_schema(operation_id="sites_update")
    def partial_update(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Rename a site."""
        site = self.get_object()
        serializer = self.get_serializer(site, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        if "name" in serializer.validated_data:
            site = rename_site(site, name=serializer.validated_data["name"], at=now())
        return Response(self.get_serializer(site).data)


class AgentViewSet(OwnedViewSet[Agent]):
    """Our software at the sites. An agent enrols itself, with a join token."""

    queryset = Agent.objects.prefetch_related("cameras")
    serializer_class = AgentSerializer
    needed = Role.OPERATOR
    filters: ClassVar = {"site": Allowed.id_of("site", "site")}

    @extend_schema(request=None, operation_id="agents_revoke")
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Shut the agent out for good; its key is never taken again."""
        agent = self.get_object()
        revoke_agent(agent, by=actor_of(request), at=now())
        return Response(self.get_serializer(agent).data)


@extend_schema_view(
    create=extend_schema(
        summary="Give an agent a camera",
        examples=[OpenApiExample("A network camera", value=CAMERA_EXAMPLE, request_only=True)],
    )
)
class CameraViewSet(CreateModelMixin, OwnedViewSet[Camera]):
    """Video sources, and what is wanted of them. A change reaches the agent within seconds."""

    queryset = Camera.objects.select_related("agent")
    serializer_class = CameraSerializer
    needed = Role.OPERATOR
    filters: ClassVar = {
        "agent": Allowed.id_of("agent", "agent"),
        "site": Allowed.id_of("agent__site", "site"),
        "state": Allowed.one_of("state", Camera.State.choices),
    }

    def perform_create(self, serializer: serializers.BaseSerializer[Camera]) -> None:
        fields = dict(serializer.validated_data)
        try:
            serializer.instance = add_camera(fields.pop("agent"), at=now(), **fields)
        except TooManyCameras as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-cameras", str(error)) from error

    @extend_schema(operation_id="cameras_update")
    def partial_update(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Change what is wanted of a camera."""
        camera = self.get_object()
        serializer = self.get_serializer(camera, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        fields.pop("agent", None)
        if fields:
            camera = update_camera(camera, at=now(), **fields)
        return Response(self.get_serializer(camera).data)

    @extend_schema(operation_id="cameras_destroy")
    def destroy(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Forget a camera and all that was seen by it."""
        try:
            remove_camera(self.get_object(), at=now())
        except CameraInUse as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "camera-in-use", str(error)) from error
        return Response(status=HTTPStatus.NO_CONTENT)


class JoinTokenViewSet(OwnedViewSet[JoinToken]):
    """One-time rights to enrol an agent. The token itself is shown when it is made, never again."""

    queryset = JoinToken.objects.select_related("created_by")
    serializer_class = JoinTokenSerializer
    needed = Role.ADMIN

    @extend_schema(
        request=JoinTokenSerializer,
        responses={HTTPStatus.CREATED: NewJoinTokenSerializer},
        examples=[
            OpenApiExample(
                "Made", value={"token": "fw1_019ab4…_c29tZSBzZWNyZXQ"}, response_only=True
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Make a join token for a site, good for an hour and one agent."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        site = serializer.validated_data["site"]
        secret = create_join_token(site, by=actor_of(request), at=now())
        return Response({"token": secret}, HTTPStatus.CREATED)
