"""Django's entry for this app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "webapp.monitoring"
