"""Django's entry for this app."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "webapp.dashboard"
