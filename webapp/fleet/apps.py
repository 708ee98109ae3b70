"""Django's entry for this app."""

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "webapp.fleet"
