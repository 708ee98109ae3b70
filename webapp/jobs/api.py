"""Background work over HTTP: how far it is, and calling it off."""

from http import HTTPStatus
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.problems import ApiProblem
from webapp.jobs.actions import AlreadyFinished, JobAction, cancel_job, retry_job
from webapp.jobs.models import Job
from webapp.jobs.queries import steerable


class JobSerializer(serializers.ModelSerializer[Job]):
    name = serializers.CharField(read_only=True, help_text="What people call it.")
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)
    time_left_s = serializers.FloatField(
        source="time_left.total_seconds",
        default=None,
        read_only=True,
        help_text="At its present rate; null when nobody can tell.",
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "name",
            "state",
            "attempt",
            "n_done",
            "n_total",
            "rate",
            "time_left_s",
            "is_cancel_wanted",
            "error",
            "created_by",
            "created_at",
            "due_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class JobViewSet(OwnedViewSet[Job]):
    """Units of background work."""

    queryset = Job.objects.select_related("created_by")
    serializer_class = JobSerializer
    needed = None
    needed_to_write = None
    filters: ClassVar = {
        "state": Allowed.one_of("state", Job.State.choices),
        "kind": Allowed("kind", serializers.CharField(max_length=64), "Only of this kind."),
        "from": Allowed.since("created_at"),
        "to": Allowed.until("created_at"),
    }

    @extend_schema(request=None, operation_id="jobs_cancel")
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Call a job off: at once when it waits, at its next step when it runs."""
        return self._steer(cancel_job, "already-finished")

    @extend_schema(request=None, operation_id="jobs_retry")
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Start a failed job again."""
        return self._steer(retry_job, "did-not-fail")

    def _steer(self, act: JobAction, refusal: str) -> Response:
        job = self.get_object()
        if job.pk not in steerable([job], actor_of(self.request)):
            words = "Only who asked for a job, or an admin, may."
            self.permission_denied(self.request, message=words)
        try:
            job = act(job, at=now())
        except AlreadyFinished as error:
            words = f"{str(error).capitalize()}."
            raise ApiProblem(HTTPStatus.CONFLICT, refusal, words) from error
        return Response(self.get_serializer(job).data)
