"""Django's entry for this app."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "webapp.inference"
