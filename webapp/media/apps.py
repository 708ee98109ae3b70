"""Django's entry for this app."""

from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "webapp.media"
