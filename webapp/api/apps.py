"""Django's entry for this app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "webapp.api"
