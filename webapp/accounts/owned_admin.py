"""The base of the admin's pages: roles decide, not Django's permission tables."""

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib.admin import RelatedFieldListFilter
from django.core.paginator import Paginator
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.functional import cached_property

from webapp.accounts.models import Organization, Role, User
from webapp.accounts.permissions import has_role
from webapp.accounts.queries import organizations_of
from webapp.accounts.requests import actor_of
from webapp.accounts.tenancy import OwnedQuerySet
from webapp.common.theme import ThemedAdmin

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

M = TypeVar("M", bound=Model)
MAX_COUNTED = 10_000


class CappedPaginator(Paginator[M]):
    """Counts so far and no further: nobody pages to the end of a million rows."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[:MAX_COUNTED].count()
        return len(rows)


class OwnedAdmin(ThemedAdmin[M]):
    """Rows of the organizations of staff members whose role covers `needed`.

    Nothing can be written unless a subclass says so; writing takes an admin.
    """

    needed: ClassVar[Role] = Role.OPERATOR
    may_add: ClassVar[bool] = False
    may_change: ClassVar[bool] = False
    may_delete: ClassVar[bool] = False

    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = own_rows(self.model, actor_of(request), self.needed)
        return rows.order_by(*self.get_ordering(request))

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> tuple[Any, ...]:
        """A row stays with its organization for good."""
        readonly = tuple(super().get_readonly_fields(request, obj))
        return readonly if obj is None else (*readonly, "organization")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_staff_with(request, self.needed)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:  # noqa: ARG002 - the signature is Django's
        return self._is_staff_with(request, self.needed)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_add and self._is_staff_with(request, Role.ADMIN)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self.may_change and self._may_write(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self.may_delete and self._may_write(request, obj)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer only rows that the actor may write to: an id of another's is refused."""
        if related := db_field.related_model:
            assert not isinstance(related, str)
            kwargs["queryset"] = own_rows(related, actor_of(request), Role.ADMIN)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _is_staff_with(self, request: HttpRequest, needed: Role) -> bool:
        user = request.user
        return (
            isinstance(user, User) and user.is_active and user.is_staff and has_role(user, needed)
        )

    def _may_write(self, request: HttpRequest, obj: M | None) -> bool:
        if not self._is_staff_with(request, Role.ADMIN):
            return False
        if obj is None:
            return True
        return own_rows(self.model, actor_of(request), Role.ADMIN).filter(pk=obj.pk).exists()


class OwnRelatedFilter(RelatedFieldListFilter):
    """A filter by a related row that names only the actor's own."""

    def field_choices(
        self,
        field: "Field[Any, Any]",
        request: HttpRequest,
        model_admin: Any,
    ) -> "list[tuple[str, StrOrPromise]]":
        assert isinstance(field, ForeignKey)
        related = field.related_model
        assert not isinstance(related, str)
        rows = own_rows(related, actor_of(request), model_admin.needed)
        return [(str(row.pk), str(row)) for row in rows[:500]]


def own_rows(model: type[M], actor: User, needed: Role) -> QuerySet[M]:
    """Return the rows of `model` that the actor may see with a role that covers `needed`."""
    rows = model._default_manager.all()  # noqa: SLF001 - Django's name for it
    if isinstance(rows, OwnedQuerySet):
        return rows.for_actor(actor, needed)
    if issubclass(model, Organization):
        return rows.filter(pk__in=[found.pk for found in organizations_of(actor)])
    return rows if actor.is_superuser else rows.none()
