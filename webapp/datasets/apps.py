"""Django's entry for this app."""

from django.apps import AppConfig

from webapp.common.request_limits import take_larger


class DatasetsConfig(AppConfig):
    name = "webapp.datasets"

    def ready(self) -> None:
        """Let people send sets to import, which are larger than what anybody else may send."""
        from webapp.datasets.uploads import IMPORTS  # noqa: PLC0415 - its signer needs the settings

        take_larger(IMPORTS)
