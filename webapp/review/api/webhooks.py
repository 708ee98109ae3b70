"""Webhooks over HTTP: who is told what labelers settled, and how the last try went."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import DestroyModelMixin, UpdateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.accounts.models import Role
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.accounts.viewsets import OwnedViewSet
from webapp.common.clock import now
from webapp.common.outward import MAX_URL, BadAddress, check_address
from webapp.common.problems import ApiProblem
from webapp.jobs.api import JobSerializer
from webapp.review.models import Webhook
from webapp.review.webhooks import (
    CannotTest,
    TooManyWebhooks,
    add_webhook,
    secret_of,
    send_test,
)


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    url = serializers.CharField(max_length=MAX_URL)

    class Meta:
        model = Webhook
        fields = (
            "id",
            "url",
            "is_active",
            "created_at",
            "told_at",
            "status",
            "error",
            "n_told",
            "n_failures",
        )
        read_only_fields = ("created_at",)

    def validate_url(self, url: str) -> str:
        """Refuse what will never be called."""
        try:
            check_address(url, may_be_private=settings.WEBHOOKS_MAY_BE_PRIVATE)
        except BadAddress as error:
            raise serializers.ValidationError(str(error)) from error
        return url


class NewWebhookSerializer(WebhookSerializer):
    organization = serializers.UUIDField(
        required=False, help_text="Needed by who is in several organizations."
    )

    class Meta(WebhookSerializer.Meta):
        fields = ("organization", "url")  # type: ignore[assignment]  # fewer


class AddedWebhookSerializer(WebhookSerializer):
    secret = serializers.SerializerMethodField(
        help_text="Told only now; of the HMAC-SHA256 of `t.BODY` in"
        " `Farwatch-Signature: t=SECONDS,v1=HEX`."
    )

    class Meta(WebhookSerializer.Meta):
        fields = (*WebhookSerializer.Meta.fields, "secret")  # type: ignore[assignment]  # more

    def get_secret(self, webhook: Webhook) -> str:
        return secret_of(webhook)


class WebhookViewSet(UpdateModelMixin, DestroyModelMixin, OwnedViewSet[Webhook]):
    """Addresses that are told of every settled item: signed, and tried again when they fail."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    http_method_names = ("get", "post", "patch", "delete", "head", "options")
    needed = Role.ADMIN
    needed_to_write = Role.ADMIN

    @extend_schema(
        request=NewWebhookSerializer, responses={HTTPStatus.CREATED: AddedWebhookSerializer}
    )
    def create(self, request: Request) -> Response:
        """Have an address told from now on."""
        wanted = NewWebhookSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        told: dict[str, Any] = wanted.validated_data
        by = actor_of(request)
        organization = chosen_organization(by, Role.ADMIN, organization_id=told.get("organization"))
        try:
            webhook = add_webhook(organization=organization, url=told["url"], by=by, at=now())
        except TooManyWebhooks as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "too-many-webhooks", str(error)) from error
        return Response(AddedWebhookSerializer(webhook).data, HTTPStatus.CREATED)

    @extend_schema(
        request=None,
        responses={HTTPStatus.ACCEPTED: JobSerializer},
        operation_id="webhooks_test",
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:  # noqa: ARG002 - the signature is DRF's
        """Tell the address that this is a test, once; the job says how that went."""
        try:
            job = send_test(self.get_object(), by=actor_of(request), at=now())
        except CannotTest as error:
            raise ApiProblem(HTTPStatus.CONFLICT, "cannot-test", str(error)) from error
        location = reverse("job-detail", args=[job.pk])
        return Response(
            JobSerializer(job).data, HTTPStatus.ACCEPTED, headers={"Location": location}
        )
