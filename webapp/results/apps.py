"""Django's entry for this app."""

from django.apps import AppConfig


class ResultsConfig(AppConfig):
    name = "webapp.results"
