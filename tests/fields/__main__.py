"""Print `docs/fields.md`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.fields.table import page  # noqa: E402  the apps must be loaded first

sys.stdout.write(page())
