"""Which events a person wants to see."""

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.db.models import Q, QuerySet

from processing.wire.limits import MAX_NAME
from webapp.dashboard.paging import BadCursor, Cursor
from webapp.events.models import Event
from webapp.events.queries import with_label
from webapp.fleet.models import Camera
from webapp.monitoring.kinds import KINDS

RULE_KINDS: Final = {
    "in_zone": "In a zone",
    "crossed": "Line crossed",
    "crowded": "Crowded",
    "heading": "Wrong direction",
    "left_behind": "Left behind",
    "tampered": "Camera tampered with",
}
"""What rules raise: the tags of their conditions in `processing.wire.scene`, in words."""
PICTURES: Final = "pictures"
OTHER: Final = "other"
CHOSEN: Final = "chosen"

_OF_KIND: Final = {
    PICTURES: Q(kind__in=KINDS),
    OTHER: ~Q(kind__in=(*RULE_KINDS, *KINDS)),
}
_SPANS: Final = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
_TAKEN: Final = {
    "no": ("Not acknowledged", Q(acknowledged_at=None)),
    "yes": ("Acknowledged", Q(acknowledged_at__isnull=False)),
    "false_alarm": ("False alarms", Q(false_alarm_at__isnull=False)),
}
_YEARS: Final = range(1970, 3000)
_UTC: Final = ZoneInfo("UTC")


def _clock_input() -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    return forms.DateTimeField(required=False, widget=widget, input_formats=formats)


class EventFilter(forms.Form):
    """What narrows the list of events; everything may be left out."""

    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, empty_label="Every camera"
    )
    kind = forms.ChoiceField(
        choices=[
            ("", "Any kind"),
            *RULE_KINDS.items(),
            (PICTURES, "Picture quality"),
            (OTHER, "Agents and cameras"),
        ],
        required=False,
    )
    severity = forms.ChoiceField(
        choices=[("", "Any severity"), *Event.Severity.choices], required=False
    )
    label = forms.CharField(
        label="Class",
        required=False,
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"list": "event-classes", "placeholder": "Any class"}),
    )
    state = forms.ChoiceField(
        label="Running or over",
        choices=[("", "Running or over"), ("running", "Running now")],
        required=False,
    )
    taken = forms.ChoiceField(
        label="Acknowledged or not",
        choices=[
            ("", "Acknowledged or not"),
            *((key, words) for key, (words, _) in _TAKEN.items()),
        ],
        required=False,
    )
    span = forms.ChoiceField(
        label="How far back",
        choices=[
            ("", "Any time"),
            *((key, words) for key, (words, _) in _SPANS.items()),
            (CHOSEN, "From … to …"),
        ],
        required=False,
    )
    since = _clock_input()
    until = _clock_input()
    zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    """The visitor's time zone: `since` and `until` are theirs."""
    after = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, cameras: QuerySet[Camera], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["camera"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cameras
        for each in self.visible_fields():
            each.field.widget.attrs["class"] = "input input--small"

    @property
    def is_narrow(self) -> bool:
        """Return whether anything was chosen."""
        return any(self.cleaned_data.get(field.name) for field in self.visible_fields())

    def clean_after(self) -> Cursor | None:
        text = str(self.cleaned_data["after"])
        try:
            return Cursor.parse(text) if text else None
        except BadCursor as error:
            raise forms.ValidationError("Start from the newest again.") from error

    def clean_zone(self) -> ZoneInfo:
        name = str(self.cleaned_data["zone"])
        try:
            return ZoneInfo(name) if name else _UTC
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise forms.ValidationError("There is no such time zone.") from error

    def clean_since(self) -> datetime | None:
        return self._sane("since")

    def clean_until(self) -> datetime | None:
        return self._sane("until")

    def narrowed(self, events: QuerySet[Event], *, at: datetime) -> QuerySet[Event]:
        """Return those of the events that were asked for; the form is valid."""
        chosen = self.cleaned_data
        for name in ("camera", "severity", "state"):
            if chosen[name]:
                events = events.filter(**{name: chosen[name]})
        if kind := chosen["kind"]:
            events = events.filter(_OF_KIND.get(kind, Q(kind=kind)))
        if label := chosen["label"]:
            events = with_label(events, label)
        if taken := chosen["taken"]:
            events = events.filter(_TAKEN[taken][1])
        return events.filter(self._in_time(at))

    def _in_time(self, at: datetime) -> Q:
        chosen, span = self.cleaned_data, self.cleaned_data["span"]
        if span in _SPANS:
            return Q(occurred_at__gte=at - _SPANS[span][1])
        asked = Q()
        if span == CHOSEN:
            if since := chosen["since"]:
                asked &= Q(occurred_at__gte=since.replace(tzinfo=chosen["zone"]))
            if until := chosen["until"]:
                asked &= Q(occurred_at__lt=until.replace(tzinfo=chosen["zone"]))
        return asked

    def _sane(self, name: str) -> datetime | None:
        given: datetime | None = self.cleaned_data[name]
        if given is not None and given.year not in _YEARS:
            raise forms.ValidationError("That is not a time at which anything happened.")
        return given
