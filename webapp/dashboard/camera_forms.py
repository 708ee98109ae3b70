"""Forms about a camera: its address and what is reported, and a form for each way to watch it."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final
from zoneinfo import available_timezones

from django import forms
from msgspec import Struct

from processing.wire.camera import (
    ClipPolicy,
    DesiredCamera,
    MotionGate,
    OverflowPolicy,
    Privacy,
    Region,
    Schedule,
    Streams,
    Tiling,
)
from processing.wire.limits import MAX_LABELS, MAX_NAME, MAX_TEXT
from webapp.dashboard.hours import BadHours, hours_in_words, parse_hours
from webapp.fleet.actions import CameraFields
from webapp.fleet.models import Camera
from webapp.fleet.sources import BadSource, check_source
from webapp.fleet.wishes import BadWish, plain, read_wish

MAX_FPS: Final = 30.0
_LABELS_HINT: Final = "Only these are reported, separated by commas. Empty: everything it knows."
_MAX_HOURS: Final = 600


class Number(forms.FloatField):
    """A number that is shown as a person writes it: 10, not 10.0."""

    def prepare_value(self, value: Any) -> Any:
        return int(value) if isinstance(value, float) and value.is_integer() else value


class CameraForm(forms.Form):
    """What is wanted of a camera."""

    name = forms.CharField(max_length=MAX_NAME)
    source = forms.CharField(
        max_length=MAX_TEXT,
        help_text="rtsp://user:password@address/path, http(s)://…, usb:0, or file:NAME.mp4 in the"
        " agent's media folder. The agent opens it, the hub never does.",
    )
    analysed_fps = Number(
        label="Frames analysed per second",
        min_value=0.1,
        max_value=MAX_FPS,
        initial=10,
        help_text="Fewer cost less; more follow fast things better.",
    )
    score_threshold = Number(
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
        _dress(self)
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
            raise forms.ValidationError(_sentence(str(error))) from error
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


class PolicyForm(forms.Form):
    """One group of `Camera.policies`. What is left empty has its default.

    Every field carries what it held when the page was made: a group that its reader has not
    touched is not written, whoever has changed it meanwhile.
    """

    policy: ClassVar[str]
    kind: ClassVar[type[Struct]]
    title: ClassVar[str]
    sentence: ClassVar[str]
    """What it does, and what it costs."""

    def __init__(self, data: Any = None, *, wanted: DesiredCamera | None = None) -> None:
        self.stored = getattr(wanted, self.policy) if wanted else self.kind()
        super().__init__(data, prefix=self.policy, initial=self.as_typed())
        _dress(self)
        for field in self.fields.values():
            field.show_hidden_initial = True

    @property
    def is_set(self) -> bool:
        """Return whether it differs from the default."""
        return bool(self.stored != self.kind())

    def as_typed(self) -> dict[str, object]:
        """Return what is stored, as the fields show it."""
        return dict(plain(self.stored))

    def wish(self) -> dict[str, object]:
        """Return what was typed, as the wire has it."""
        return {name: value for name, value in self.cleaned_data.items() if value not in {None, ""}}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            read_wish(self.kind, self.wish())
        except BadWish as bad:
            name = bad.path.partition(".")[0]
            self.add_error(name if name in self.fields else None, _sentence(str(bad)))
        return cleaned


class StreamsForm(PolicyForm):
    policy, kind = "streams", Streams
    title = "Streams"
    sentence = (
        "How pictures are fetched. A small stream to analyse, and the main one for clips and for"
        " who looks at it large, cost far less than to decode the main one."
    )

    transport = forms.ChoiceField(
        choices=[("tcp", "TCP: nothing is lost"), ("udp", "UDP: nothing waits")],
        required=False,
        help_text="For RTSP. Over UDP one lost packet smears a second of video.",
    )
    clip_source = forms.CharField(
        label="Main stream, for clips and large pictures",
        max_length=MAX_TEXT,
        required=False,
        help_text="Where the source above is the camera's smaller stream. Empty: the source serves"
        " for all.",
    )


class RegionForm(PolicyForm):
    policy, kind = "region", Region
    title = "Region"
    sentence = "Only this part of the picture is looked at; small things in it are found better."

    left = Number(label="Left, %", min_value=0, max_value=100, required=False)
    top = Number(label="Top, %", min_value=0, max_value=100, required=False)
    right = Number(label="Right, %", min_value=0, max_value=100, required=False)
    bottom = Number(label="Bottom, %", min_value=0, max_value=100, required=False)

    def as_typed(self) -> dict[str, object]:
        return {name: round(share * 100, 2) for name, share in plain(self.stored).items()}

    def wish(self) -> dict[str, object]:
        return {
            name: percent / 100
            for name, percent in self.cleaned_data.items()
            if percent is not None
        }


class TilingForm(PolicyForm):
    policy, kind = "tiling", Tiling
    title = "Pieces"
    sentence = (
        "Look at the picture in pieces, to find small things. Each piece costs as much as a whole"
        " picture does."
    )

    columns = forms.IntegerField(min_value=1, max_value=4, required=False)
    rows = forms.IntegerField(min_value=1, max_value=4, required=False)
    overlap = Number(
        label="Overlap, %",
        min_value=0,
        max_value=50,
        required=False,
        help_text="As large as the things that must not be cut in two.",
    )

    def as_typed(self) -> dict[str, object]:
        typed = super().as_typed()
        return typed | {"overlap": round(float(str(typed["overlap"])) * 100, 2)}

    def wish(self) -> dict[str, object]:
        wish = super().wish()
        if "overlap" in wish:
            wish["overlap"] = float(str(wish["overlap"])) / 100
        return wish


class ScheduleForm(PolicyForm):
    policy, kind = "schedule", Schedule
    title = "Hours"
    sentence = "When the camera is watched. At other times it costs nothing and raises no events."

    hours = forms.CharField(
        max_length=_MAX_HOURS,
        required=False,
        help_text="Paint the week above, or write Mon-Fri 18:00-06:00, Sat-Sun 00:00-24:00."
        " Empty: always.",
    )
    time_zone = forms.CharField(
        max_length=MAX_NAME, required=False, help_text="Of these hours, such as Europe/Berlin."
    )

    def __init__(self, data: Any = None, *, wanted: DesiredCamera | None = None) -> None:
        super().__init__(data, wanted=wanted)
        self.fields["time_zone"].widget.attrs |= {"list": "time-zones", "autocomplete": "off"}
        self.fields["hours"].widget.attrs |= {"data-hours": "", "spellcheck": "false"}

    def as_typed(self) -> dict[str, object]:
        stored = self.stored
        assert isinstance(stored, Schedule)
        return {"hours": hours_in_words(stored.windows), "time_zone": stored.time_zone}

    def clean_hours(self) -> str:
        hours = str(self.cleaned_data["hours"])
        try:
            parse_hours(hours)
        except BadHours as bad:
            raise forms.ValidationError(str(bad)) from bad
        return hours

    def wish(self) -> dict[str, object]:
        cleaned = self.cleaned_data
        windows = [plain(window) for window in parse_hours(cleaned["hours"])]
        zone = {"time_zone": cleaned["time_zone"]} if cleaned["time_zone"] else {}
        return {"windows": windows} | zone


class GateForm(PolicyForm):
    policy, kind = "gate", MotionGate
    title = "Motion gate"
    sentence = (
        "Spares the network the frames in which nothing moves: most of the cost of a quiet camera."
        " What is tracked is never lost from sight by it."
    )

    is_on = forms.BooleanField(label="Look only when something moves", required=False)
    always_look_s = Number(
        label="Look all the same, every … seconds",
        min_value=0.2,
        max_value=600,
        required=False,
        help_text="What stands still from the start is found this late at the most.",
    )


class ClipsForm(PolicyForm):
    policy, kind = "clips", ClipPolicy
    title = "Clips"
    sentence = (
        "Keeps a clip of each event on the agent's disk; it travels only when somebody looks."
        " It costs memory for the seconds before, and next to no computing."
    )

    is_on = forms.BooleanField(label="Keep clips of events", required=False)
    before_s = Number(label="Seconds before", min_value=0, max_value=30, required=False)
    after_s = Number(label="Seconds after", min_value=0, max_value=60, required=False)
    longest_s = Number(label="Longest, s", min_value=1, max_value=600, required=False)


class PrivacyForm(PolicyForm):
    policy, kind = "privacy", Privacy
    title = "Privacy"
    sentence = (
        "What is hidden here is made unrecognizable by the agent, before anything is stored or"
        " sent. Clips must then be encoded anew, which costs computing."
    )

    hides_faces = forms.BooleanField(label="Hide faces", required=False)

    @property
    def n_zones(self) -> int:
        """Return how many hidden parts are drawn."""
        assert isinstance(self.stored, Privacy)
        return len(self.stored.zones)

    def wish(self) -> dict[str, object]:
        assert isinstance(self.stored, Privacy)
        return super().wish() | {"zones": plain(self.stored.zones)}


class OverflowForm(PolicyForm):
    policy, kind = "overflow", OverflowPolicy
    title = "Cloud"
    sentence = (
        "Lets the inference tier judge what this agent cannot, within limits that you set. Pictures"
        " then leave the agent: parts that are hidden stay hidden, and a camera that hides faces"
        " sends none."
    )

    mode = forms.ChoiceField(
        label="Which pictures",
        choices=[
            ("off", "None"),
            ("saturated", "Those there is no time for"),
            ("doubtful", "Those that are in doubt"),
            ("always", "All of them"),
        ],
        required=False,
        help_text="Of all, the agent judges those that the cloud will not.",
    )
    budget_ms = Number(
        label="An answer is of use for … ms",
        min_value=50,
        max_value=5000,
        required=False,
        help_text="Pictures after it wait for it so long at the most.",
    )
    mb_per_day = Number(
        label="Megabytes a day",
        min_value=0,
        max_value=1e6,
        required=False,
        help_text="From midnight to midnight, UTC. Empty: no limit.",
    )
    money_per_day = Number(
        label="Money a day",
        min_value=0,
        max_value=1e6,
        required=False,
        help_text="At the hub's price for a picture. Empty: no limit.",
    )
    max_width = forms.IntegerField(
        label="Widest picture, pixels", min_value=160, max_value=4096, required=False
    )
    jpeg_quality = forms.IntegerField(
        label="JPEG quality", min_value=30, max_value=95, required=False
    )
    model = forms.CharField(
        label="Model",
        max_length=64,
        required=False,
        help_text="As the page Inference names it. Empty: the tier's choice.",
    )


ALL: Final = (
    StreamsForm, RegionForm, TilingForm, ScheduleForm, GateForm, ClipsForm, PrivacyForm,
    OverflowForm,
)  # fmt: skip
TIME_ZONES: Final = tuple(
    sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
)


class SettingsForm:
    """All forms of a camera's settings, sent together."""

    def __init__(self, data: Any = None, *, camera: Camera | None = None) -> None:
        wanted = camera.desired() if camera else None
        if camera is not None and data is None:
            self.camera = CameraForm.of(camera)
        else:
            self.camera = CameraForm(data)
        self.policies = tuple(form(data, wanted=wanted) for form in ALL)

    @property
    def is_bound(self) -> bool:
        """Return whether somebody has sent it."""
        return self.camera.is_bound

    def is_valid(self) -> bool:
        """Return whether nothing is wrong in any of them; all are looked at, for all the words."""
        wrong = [form for form in self if not form.is_valid()]
        return not wrong

    def lead_to_error(self) -> None:
        """Let the page begin at the first field that something is wrong with."""
        for form in self:
            for name in form.errors:
                if name in form.fields:
                    form.fields[name].widget.attrs["autofocus"] = True
                    return

    def values(self) -> CameraFields:
        """Return the checked values; of the policies those that were touched."""
        values = self.camera.values()
        touched = [form for form in self.policies if form.has_changed()]
        if touched:
            values["policies"] = {form.policy: form.wish() for form in touched}
        return values

    def __iter__(self) -> Iterator[forms.Form]:
        yield self.camera
        yield from self.policies


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."


def _dress(form: forms.Form) -> None:
    for field in form.fields.values():
        if not isinstance(field, forms.BooleanField):
            field.widget.attrs["class"] = "input"
        if isinstance(field, forms.FloatField):
            field.widget.attrs["step"] = "any"
