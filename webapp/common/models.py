"""The one table that is nobody's: what changed, for web processes to follow."""

from django.db import models


class Change(models.Model):
    """Something on a page of an organization is out of date.

    Written in the transaction that changed it, by whichever process did; web processes follow the
    table while somebody looks (`webapp.dashboard.follower`). Rows live for minutes.
    """

    id = models.BigAutoField(primary_key=True)
    organization_id = models.UUIDField()
    topic = models.CharField(max_length=16)
    """One of `processing.wire.browser.Topic`."""
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.topic
