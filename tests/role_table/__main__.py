"""Print `docs/roles.md`."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from tests.role_table.document import document  # noqa: E402  the apps must be loaded first

sys.stdout.write(document())
