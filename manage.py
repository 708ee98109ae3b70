#!/usr/bin/env python
"""Django's command line."""

import sys

from django.core.management import execute_from_command_line

from webapp.env import default_settings_module

if __name__ == "__main__":
    default_settings_module()
    execute_from_command_line(sys.argv)
