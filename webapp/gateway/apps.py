"""Django's entry for this app."""

from django.apps import AppConfig


class GatewayConfig(AppConfig):
    name = "webapp.gateway"
