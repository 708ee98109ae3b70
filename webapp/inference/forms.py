"""What people fill in about inference: new keys, and how versions share what comes."""

from collections.abc import Mapping
from typing import Any

from django import forms

from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_where
from webapp.inference.keys import (
    ALL_SCOPES,
    MAX_PICTURES_PER_DAY,
    MAX_PICTURES_PER_S,
    KeyTerms,
)
from webapp.inference.serving import MAX_WEIGHT, BadRoute, Routed

_SCOPE_WORDS = {"detect": "Have pictures judged", "models": "Read what is served"}
_BURST_S = 2.0
"""A key may send what it may send in so long all at once."""


class KeyForm(forms.Form):
    """A key that is to be made."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput({"class": "input", "placeholder": "Parking app"}),
        help_text="What uses it, so that you know later which one to revoke.",
    )
    pictures_per_s = forms.FloatField(
        label="Pictures a second",
        initial=10,
        min_value=0.01,
        max_value=MAX_PICTURES_PER_S,
        widget=forms.NumberInput({"class": "input", "step": "any"}),
    )
    pictures_per_day = forms.IntegerField(
        label="Pictures a day",
        required=False,
        min_value=1,
        max_value=MAX_PICTURES_PER_DAY,
        widget=forms.NumberInput({"class": "input", "placeholder": "No limit"}),
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(scope, _SCOPE_WORDS[scope]) for scope in ALL_SCOPES],
        initial=list(ALL_SCOPES),
        widget=forms.CheckboxSelectMultiple(),
    )
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        empty_label=None,
        widget=forms.Select({"class": "input"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, actor: User) -> None:
        super().__init__(data)
        organizations = organizations_where(actor, Role.ADMIN)
        self.is_one_organization = organizations.count() == 1
        choice = self.fields["organization"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = organizations
        if self.is_one_organization:
            choice.required = False
            self.only = organizations.get()

    def clean_organization(self) -> Organization:
        chosen: Organization | None = self.cleaned_data["organization"]
        return chosen or self.only

    @property
    def terms(self) -> KeyTerms:
        """Return what a valid form asks for."""
        said = self.cleaned_data
        return KeyTerms(
            name=said["name"],
            scopes=tuple(scope for scope in ALL_SCOPES if scope in said["scopes"]),
            pictures_per_s=said["pictures_per_s"],
            burst=max(1, round(said["pictures_per_s"] * _BURST_S)),
            pictures_per_day=said["pictures_per_day"],
        )


def read_route(data: Mapping[str, str], digests: list[str]) -> list[Routed]:
    """Return what `weight_DIGEST` and `shadow_DIGEST` say of each version; raise `BadRoute`."""
    field = forms.FloatField(min_value=0.0, max_value=MAX_WEIGHT)
    routes = []
    for digest in digests:
        try:
            weight = field.clean(data.get(f"weight_{digest}", "") or "0")
        except forms.ValidationError as error:
            raise BadRoute("versions", f"A weight is no number: {error.messages[0]}") from error
        routes.append(Routed(digest, weight, is_shadow=f"shadow_{digest}" in data))
    return routes
