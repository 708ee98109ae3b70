"""Django's entry for this app."""

from django.apps import AppConfig

from webapp.common.request_limits import take_larger


class GatewayConfig(AppConfig):
    name = "webapp.gateway"

    def ready(self) -> None:
        """Let agents send clips, which are larger than what anybody else may send."""
        from webapp.gateway.uploads import CLIPS  # noqa: PLC0415 - its signer needs the settings

        take_larger(CLIPS)
