"""How another agent joins, as a form."""

from typing import Any

from django import forms

from processing.wire.limits import MAX_NAME
from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_of
from webapp.fleet.models import Site


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
