"""Which jobs a person wants to see, page by page."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.jobs.models import Job

UNDER_WAY: Final = (Job.State.RUNNING, Job.State.WAITING)
ENDED: Final = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)


class JobFilter(forms.Form):
    """What narrows the list of jobs; everything may be left out."""

    state = forms.ChoiceField(
        choices=[
            ("", "Any state"),
            ("open", "Under way"),
            *((state.value, state.label) for state in ENDED),
        ],
        required=False,
    )
    who = forms.ChoiceField(
        label="Asked for by",
        choices=[("", "Asked for by people"), ("me", "Asked for by me"), ("hub", "The hub's own")],
        required=False,
    )
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in self.visible_fields():
            each.field.widget.attrs["class"] = "input input--small"

    @property
    def is_narrow(self) -> bool:
        """Return whether anything was chosen; the form is valid."""
        return bool(self.cleaned_data["state"] or self.cleaned_data["who"])

    @property
    def last_seen(self) -> UUID | None:
        """Return the last job of the page before; the form is valid."""
        last_seen: UUID | None = self.cleaned_data["after"]
        return last_seen

    def narrowed(self, jobs: QuerySet[Job], *, by: User) -> QuerySet[Job]:
        """Return those of the jobs that were asked for; the form is valid."""
        match self.cleaned_data["who"]:
            case "me":
                return jobs.filter(created_by=by)
            case "hub":
                return jobs.filter(created_by=None)
            case _:
                return jobs.filter(created_by__isnull=False)

    def states(self) -> tuple[Job.State, ...]:
        """Return the states to show; the form is valid."""
        match self.cleaned_data["state"]:
            case "":
                return (*UNDER_WAY, *ENDED)
            case "open":
                return UNDER_WAY
            case state:
                return (Job.State(state),)
