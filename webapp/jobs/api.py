"""Background work over HTTP: how far it is, and calling it off."""

from http import HTTPStatus
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role
from webapp.accounts.permissions import has_role
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.filters import Allowed
from webapp.common.problems import ApiProblem
from webapp.jobs.actions import AlreadyFinished, cancel_job
from webapp.jobs.models import Job


class JobSerializer(serializers.ModelSerializer[Job]):
    created_by = serializers.CharField(source="created_by.username", default=None, read_only=True)

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "n_done",
            "n_total",
            "is_cancel_wanted",
            "error",
            "created_by",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class JobViewSet(OwnedViewSet[Job]):
    """Units of background work."""

    queryset = Job.objects.select_related("created_by")
    serializer_class = JobSerializer
    needed = None
    needed_to_write = None
    filters: ClassVar = {"state": Allowed.one_of("state", Job.State.choices)}

    @extend_schema(request=None, operation_id="jobs_cancel")
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Call a job off: at once when it waits, at its next step when it runs."""
        job = self.get_object()
        actor = actor_of(request)
        if job.created_by != actor and not has_role(actor, Role.ADMIN):
            self.permission_denied(request, message="Only who asked for a job, or an admin, may.")
        try:
            job = cancel_job(job, at=now())
        except AlreadyFinished as error:
            words = f"{str(error).capitalize()}."
            raise ApiProblem(HTTPStatus.CONFLICT, "already-finished", words) from error
        return Response(self.get_serializer(job).data)
