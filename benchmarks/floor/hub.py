"""Import what the hub's web process imports."""

import django

from webapp.env import default_settings_module

if __name__ == "__main__":
    default_settings_module()
    django.setup()
    __import__("webapp.asgi")
