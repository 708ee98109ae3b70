"""Django's entry for this app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "webapp.jobs"
