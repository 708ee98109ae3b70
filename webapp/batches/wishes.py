"""What somebody may ask of a batch, checked field by field."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

from processing.wire.limits import MAX_NAME
from webapp.accounts.models import Organization
from webapp.batches.actions import NewBatch
from webapp.batches.listing import MAX_CAMERAS, is_folder
from webapp.batches.models import Batch, WorkerBundle
from webapp.fleet.models import Camera

DEFAULT_MIN_SCORE: Final = 0.4


class BatchRequestSerializer(serializers.Serializer[Any]):
    """Which pictures, and which bundle is to look at them."""

    organization = serializers.UUIDField(
        required=False, help_text="Needed by who is in several organizations."
    )
    name = serializers.CharField(max_length=MAX_NAME, help_text="What people call it.")
    source = serializers.ChoiceField(choices=Batch.Source.choices)  # type: ignore[assignment]  # a field of that name
    bundle = serializers.CharField(
        max_length=32, help_text="Digest of one that the workers have: see `bundles`."
    )
    min_score = serializers.FloatField(
        min_value=0.0,
        max_value=1.0,
        default=DEFAULT_MIN_SCORE,
        help_text="Detections below it are left out; nothing is below the bundle's own floor.",
    )
    file_name = serializers.CharField(
        max_length=MAX_NAME, required=False, help_text="Of an upload."
    )
    folder = serializers.CharField(
        max_length=MAX_NAME, required=False, help_text="In the organization's part of the store."
    )
    cameras = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=MAX_CAMERAS,
        help_text="Samples of these alone; empty for all.",
    )
    to = serializers.DateTimeField(required=False, help_text="Samples captured before this.")
    is_labelled = serializers.BooleanField(
        default=False, help_text="Only samples that a person has labelled: the dataset."
    )

    is_shadow = serializers.BooleanField(
        default=False,
        help_text="Samples in which it sees other things than the bundle that judged them before"
        " go to the review queues that ask for what another model says otherwise.",
    )

    def get_fields(self) -> dict[str, Any]:
        """Return the fields with `from`, which Python has no attribute for."""
        since = serializers.DateTimeField(
            required=False, help_text="Samples captured from this instant on."
        )
        return {**super().get_fields(), "from": since}

    def validate_bundle(self, digest: str) -> WorkerBundle:
        bundle = WorkerBundle.objects.filter(pk=digest).first()
        if bundle is None:
            raise serializers.ValidationError("No worker has this bundle.")
        return bundle

    def validate_folder(self, folder: str) -> str:
        if not is_folder(folder):
            raise serializers.ValidationError("No folder may be called so.")
        return folder

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["source"] == Batch.Source.FOLDER and not asked.get("folder"):
            raise serializers.ValidationError({"folder": ["Which folder?"]})
        if asked["is_shadow"] and asked["source"] != Batch.Source.SAMPLES:
            words = "Only what cameras kept was judged before: take the source `samples`."
            raise serializers.ValidationError({"is_shadow": [words]})
        since, until = asked.get("from"), asked.get("to")
        if since is not None and until is not None and until <= since:
            raise serializers.ValidationError({"to": ["It must be later than `from`."]})
        return asked

    def new_batch(self, organization: Organization) -> NewBatch:
        """Return what was asked for; raise `ValidationError` for cameras of somebody else's."""
        asked = self.validated_data
        return NewBatch(
            name=asked["name"],
            source=Batch.Source(asked["source"]),
            wanted=_wanted(asked, organization),
            bundle=asked["bundle"],
            min_score=asked["min_score"],
            is_shadow=asked["is_shadow"],
        )


def _wanted(asked: Mapping[str, Any], organization: Organization) -> dict[str, object]:
    match Batch.Source(asked["source"]):
        case Batch.Source.UPLOAD:
            return {"name": asked.get("file_name", "")}
        case Batch.Source.FOLDER:
            return {"folder": asked["folder"]}
        case Batch.Source.SAMPLES:
            wanted: dict[str, object] = {"is_labelled": asked["is_labelled"]}
            if cameras := set(asked.get("cameras", ())):
                wanted["cameras"] = _known(cameras, organization)
            for edge in ("from", "to"):
                if asked.get(edge) is not None:
                    wanted[edge] = asked[edge].isoformat()
            return wanted


def _known(cameras: set[UUID], organization: Organization) -> list[str]:
    known = Camera.objects.filter(organization=organization, pk__in=cameras)
    if known.count() != len(cameras):
        raise serializers.ValidationError({"cameras": ["Some of these cameras are not there."]})
    return sorted(str(camera) for camera in cameras)
