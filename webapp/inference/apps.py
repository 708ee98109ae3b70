"""Django's entry for this app."""

from django.apps import AppConfig

from webapp.common.request_limits import take_larger


class InferenceConfig(AppConfig):
    name = "webapp.inference"

    def ready(self) -> None:
        """Let programs send pictures and tensors, which are larger than what anybody else sends."""
        from webapp.inference.proxy import PICTURES, TENSORS  # noqa: PLC0415 - they need settings

        take_larger(PICTURES)
        take_larger(TENSORS)
