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


class Hub(models.Model):
    """This hub's identity: one row, in the database, so that a restored backup is the same hub."""

    number = models.PositiveSmallIntegerField(primary_key=True, default=1)
    hub_id = models.UUIDField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(number=1), name="one_hub"),)

    def __str__(self) -> str:
        return str(self.hub_id)
