"""Forms of the dashboard: what a person may set, with errors that say what to do."""

from typing import Any, Final

from django import forms

from processing.wire.limits import MAX_LABELS, MAX_NAME, MAX_TEXT
from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_of
from webapp.dashboard.paging import BadCursor, Cursor
from webapp.events.models import Event
from webapp.fleet.actions import CameraFields
from webapp.fleet.models import Camera, Site
from webapp.fleet.sources import BadSource, check_source

MAX_FPS: Final = 30.0
_LABELS_HINT: Final = "Only these are reported, separated by commas. Empty: everything it knows."


class CameraForm(forms.Form):
    """What is wanted of a camera."""

    name = forms.CharField(max_length=MAX_NAME)
    source = forms.CharField(
        max_length=MAX_TEXT,
        help_text="rtsp://user:password@address/path, http(s)://…, usb:0, or file:NAME.mp4 in the"
        " agent's media folder. The agent opens it, the hub never does.",
    )
    analysed_fps = forms.FloatField(
        label="Frames analysed per second",
        min_value=0.1,
        max_value=MAX_FPS,
        initial=10,
        help_text="Fewer cost less; more follow fast things better.",
    )
    score_threshold = forms.FloatField(
        label="Least confidence",
        min_value=0,
        max_value=1,
        initial=0.4,
        help_text="0 to 1. Detections below it are not reported.",
    )
    labels = forms.CharField(
        label="Classes",
        required=False,
        max_length=4000,
        help_text=_LABELS_HINT,
    )
    is_enabled = forms.BooleanField(label="Watch this camera", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "source", "analysed_fps", "score_threshold", "labels"):
            self.fields[name].widget.attrs["class"] = "input"
        for name in ("analysed_fps", "score_threshold"):
            self.fields[name].widget.attrs["step"] = "any"
        self.fields["source"].widget.attrs |= {"spellcheck": "false", "autocapitalize": "off"}
        self.fields["labels"].widget.attrs["placeholder"] = "person, bicycle, car"

    @classmethod
    def of(cls, camera: Camera) -> "CameraForm":
        """Return the form as it stands for a camera."""
        names = ("name", "source", "analysed_fps", "score_threshold", "is_enabled")
        initial = {name: getattr(camera, name) for name in names}
        return cls(initial=initial | {"labels": ", ".join(camera.labels)})

    def clean_source(self) -> str:
        source = str(self.cleaned_data["source"])
        try:
            check_source(source)
        except BadSource as error:
            words = str(error)
            raise forms.ValidationError(f"{words[:1].upper()}{words[1:]}.") from error
        return source

    def clean_labels(self) -> list[str]:
        parts = (part.strip() for part in str(self.cleaned_data["labels"]).split(","))
        labels = list(dict.fromkeys(part for part in parts if part))
        if len(labels) > MAX_LABELS or any(len(label) > MAX_NAME for label in labels):
            raise forms.ValidationError("Too many classes, or one with too long a name.")
        return labels

    def values(self) -> CameraFields:
        """Return the checked values, as the fleet's actions take them."""
        cleaned = self.cleaned_data
        return CameraFields(
            name=cleaned["name"],
            source=cleaned["source"],
            analysed_fps=cleaned["analysed_fps"],
            score_threshold=cleaned["score_threshold"],
            labels=cleaned["labels"],
            is_enabled=cleaned["is_enabled"],
        )


class EventFilter(forms.Form):
    """Which events are shown."""

    severity = forms.ChoiceField(
        choices=[("", "Any severity"), *Event.Severity.choices], required=False
    )
    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, empty_label="Every camera"
    )
    after = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, cameras: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["camera"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cameras
        for name in ("severity", "camera"):
            self.fields[name].widget.attrs["class"] = "input input--small"

    def clean_after(self) -> Cursor | None:
        text = str(self.cleaned_data["after"])
        try:
            return Cursor.parse(text) if text else None
        except BadCursor as error:
            raise forms.ValidationError("Start from the newest again.") from error


class JoinForm(forms.Form):
    """Where a new agent will stand: at a site that there is, or at a new one."""

    site = forms.ModelChoiceField(Site.objects.none(), required=False, empty_label="A new site…")
    new_site = forms.CharField(label="Name of the new site", required=False, max_length=MAX_NAME)
    organization = forms.ModelChoiceField(
        Organization.objects.none(), required=False, empty_label=None
    )

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = Site.objects.for_actor(actor, Role.ADMIN)
        known = [organization.pk for organization in organizations_of(actor)]
        choices = {"site": sites, "organization": Organization.objects.filter(pk__in=known)}
        for name, queryset in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = queryset
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self.fields["new_site"].widget.attrs["placeholder"] = "Harbour depot"
        self.has_many_organizations = len(known) > 1
        if not self.is_bound:
            self.initial["site"] = sites.first()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("site") and not cleaned.get("new_site") and not self.errors:
            self.add_error("new_site", "Name the site where the agent will stand.")
        return cleaned
