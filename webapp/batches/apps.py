"""Django's entry for this app."""

from django.apps import AppConfig

from webapp.common.request_limits import take_larger


class BatchesConfig(AppConfig):
    name = "webapp.batches"

    def ready(self) -> None:
        """Let people send pictures to judge, which are more than what anybody else may send."""
        from webapp.batches.uploads import PICTURES  # noqa: PLC0415 - its signer needs the settings

        take_larger(PICTURES)
