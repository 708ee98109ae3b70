"""Pictures and other files, each stored once an organization, named by their content."""

from django.db import models

from webapp.accounts.tenancy import Owned


class Blob(Owned):
    """Bytes in the store; `path` is made of their sha256."""

    sha256 = models.CharField(max_length=64, editable=False)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "sha256"), name="blob_once"),
        )

    def __str__(self) -> str:
        return f"{self.content_type}, {self.size} bytes"

    @property
    def path(self) -> str:
        """Return the name in the storage."""
        return f"{self.organization_id}/{self.sha256[:2]}/{self.sha256}"
