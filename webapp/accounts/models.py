"""Users, organizations, and who is what in which."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from webapp.common.ids import uuid7


class User(AbstractUser):
    """A person who logs in."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)


class Organization(models.Model):
    """A tenant: every other row belongs to one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    members = models.ManyToManyField(User, through="Membership", related_name="organizations")
    created_at = models.DateTimeField(auto_now_add=True)
    most_results_per_s = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="That all its agents may send together; empty: as the hub is set, 0: no limit.",
    )
    most_agent_results_per_s = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="That each of its agents may send; empty: as the hub is set, 0: no limit.",
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do; each includes nothing of the others except as `allows` says."""

    OPERATOR = "operator", "Operator"
    LABELER = "labeler", "Labeler"
    ADMIN = "admin", "Admin"

    def allows(self, needed: "Role") -> bool:
        """Return whether this role covers `needed`: an admin may do everything."""
        return self in {Role.ADMIN, needed}


class Membership(models.Model):
    """A user's role in an organization."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "organization"), name="one_role_per_member"),
        )

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class WrongPasswords(models.Model):
    """How many came of late, of whom `accounts.attempts` says; of no organization.

    Tries to enrol an agent, too, are counted here.
    """

    key = models.CharField(max_length=64, primary_key=True)
    n_tries = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(db_index=True)
    """When the count begins anew."""

    def __str__(self) -> str:
        return f"{self.n_tries} until {self.until:%H:%M}"
