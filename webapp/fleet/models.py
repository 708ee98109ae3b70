"""Sites, agents, cameras and the bundles that agents run: desired and reported."""

from datetime import datetime, timedelta

import msgspec
from django.core.exceptions import ValidationError
from django.db import models

from processing.wire.camera import DesiredCamera
from processing.wire.limits import HEARTBEAT_S, MAX_TEXT
from processing.wire.scene import Scene
from webapp.accounts.models import User
from webapp.accounts.tenancy import Owned
from webapp.fleet.sources import BadSource, check_source
from webapp.fleet.wishes import POLICIES, BadWish, Policies, plain, read_wish

SILENCE = timedelta(seconds=3 * HEARTBEAT_S)
"""After so long without a word an agent counts as offline, whatever its socket says."""


class Site(Owned):
    """A place with cameras."""

    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "name"), name="site_name_once"),
        )

    def __str__(self) -> str:
        return self.name


class Agent(Owned):
    """Our software at a site, with an identity."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="agents")
    name = models.CharField(max_length=200)
    public_key = models.BinaryField(max_length=32, unique=True, editable=False)
    """Ed25519, raw. The private half never leaves the agent."""
    is_revoked = models.BooleanField(default=False)
    enrolled_at = models.DateTimeField()

    desired_version = models.PositiveBigIntegerField(default=1, editable=False)
    """Rises with every change of what is wanted of this agent."""

    reported_version = models.PositiveBigIntegerField(default=0, editable=False)
    software = models.CharField(max_length=200, blank=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, editable=False)
    is_connected = models.BooleanField(default=False, editable=False)
    session = models.PositiveBigIntegerField(default=0, editable=False)
    """Fencing: rises with every connection; only the newest may write."""
    clock_offset_ms = models.FloatField(null=True, editable=False)
    """The agent's clock less the hub's, at its last connection."""
    problems = models.JSONField(default=list, editable=False)
    """What the agent says is wrong, in its words."""
    n_pending = models.PositiveBigIntegerField(default=0, editable=False)
    """Entries in its outbox that the hub has not acknowledged, at the last report."""
    slowed_to_per_s = models.PositiveIntegerField(default=0, editable=False)
    """Results a second that a limit lets it send, while it sends more; 0 when it is not slowed."""
    found_cameras = models.JSONField(default=list, editable=False)
    """`FoundCamera`s that answered on its network and that it may be given: suggestions."""

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def is_online(self, *, at: datetime) -> bool:
        """Return whether the agent is connected and has been heard of lately."""
        return (
            self.is_connected
            and self.last_seen_at is not None
            and at - self.last_seen_at <= SILENCE
        )


class JoinToken(Owned):
    """A one-time right to enrol an agent at a site; only a hash is kept."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="join_tokens")
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, editable=False)
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, null=True, editable=False, related_name="+"
    )
    """Who used it."""

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"for {self.site}, until {self.expires_at:%H:%M}"


class Camera(Owned):
    """A video source with a name; its agent opens it, the hub never does."""

    class State(models.TextChoices):
        UNKNOWN = "unknown", "Not reported yet"
        CONNECTING = "connecting", "Connecting"
        ONLINE = "online", "Online"
        UNREACHABLE = "unreachable", "Unreachable"
        DISABLED = "disabled", "Disabled"

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="cameras")
    name = models.CharField(max_length=200)

    # desired
    source = models.CharField(max_length=MAX_TEXT)
    """rtsp://, rtsps://, http(s)://, usb:N, or file:NAME."""
    is_enabled = models.BooleanField(default=True)
    analysed_fps = models.FloatField(default=10.0)
    score_threshold = models.FloatField(default=0.4)
    labels = models.JSONField(default=list, blank=True)
    """Only these classes; empty for all."""
    sample_policy = models.JSONField(default=dict, blank=True)
    """A `SamplePolicy`; what is absent has its default."""
    policies = models.JSONField(default=dict, blank=True)
    """`Policies`; what is absent has its default."""
    scene = models.JSONField(default=dict, blank=True)
    """A `Scene`: zones, lines and rules."""
    drawing_revision = models.PositiveBigIntegerField(default=0, editable=False)
    """Rises with every change of what is drawn over the picture (`webapp.fleet.drawing`)."""

    # reported
    state = models.CharField(max_length=16, choices=State, default=State.UNKNOWN, editable=False)
    state_reason = models.CharField(max_length=MAX_TEXT, blank=True, editable=False)
    state_since_at = models.DateTimeField(null=True, editable=False)
    fps = models.FloatField(default=0.0, editable=False)
    n_frames = models.PositiveBigIntegerField(default=0, editable=False)
    n_dropped = models.PositiveBigIntegerField(default=0, editable=False)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    n_gated = models.PositiveBigIntegerField(default=0, editable=False)
    """Frames in which nothing moved, which the network was spared."""
    image = models.JSONField(null=True, editable=False)
    """An `ImageState`: what its pictures are like."""

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("agent", "name"), name="camera_name_once"),
            models.CheckConstraint(
                condition=models.Q(analysed_fps__gt=0, analysed_fps__lte=120),
                name="camera_analysed_fps_sane",
            ),
            models.CheckConstraint(
                condition=models.Q(score_threshold__gte=0, score_threshold__lte=1),
                name="camera_score_threshold_sane",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what no agent would accept."""
        try:
            check_source(self.source)
        except BadSource as error:
            raise ValidationError({"source": str(error)}) from error
        self.policies = self._checked("policies", Policies)
        self.scene = self._checked("scene", Scene)
        try:
            self.desired()
        except msgspec.ValidationError as error:
            raise ValidationError(str(error)) from error

    def desired(self) -> DesiredCamera:
        """Return what the agent is told; raise `msgspec.ValidationError` where that cannot be."""
        policies = {name: self.policies[name] for name in POLICIES if name in self.policies}
        wish = policies | {
            "camera_id": self.id,
            "name": self.name,
            "source": self.source,
            "is_enabled": self.is_enabled,
            "analysed_fps": self.analysed_fps,
            "score_threshold": self.score_threshold,
            "labels": self.labels,
            "samples": self.sample_policy,
            "scene": self.scene,
        }
        return msgspec.convert(wish, DesiredCamera)

    def _checked(self, name: str, kind: type[Policies] | type[Scene]) -> object:
        """Return a JSON column as it is stored; raise `ValidationError` with the field within."""
        try:
            return plain(read_wish(kind, getattr(self, name)))
        except BadWish as bad:
            raise ValidationError({name: bad.words}) from bad


class Bundle(Owned):
    """A bundle that an agent of this organization has reported running."""

    digest = models.CharField(max_length=32, editable=False)
    """Hex of the first 16 bytes of the sha256 of its manifest."""
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=200)
    labels = models.JSONField(default=list)
    first_seen_at = models.DateTimeField()

    class Meta:
        ordering = ("-first_seen_at",)
        constraints = (
            models.UniqueConstraint(fields=("organization", "digest"), name="bundle_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
