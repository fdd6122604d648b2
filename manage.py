#!/usr/bin/env python
"""The command line of the console."""

import os
import sys

from console.env import SettingsError


def main() -> None:
    """Run a command of Django or of one of our apps; a setting that cannot be used is one sentence and status 2."""
    os.umask(0o077)  # the database, the logs and the keys are for the user who runs the console
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except OperationalError as error:
        # Nobody has run the set-up, the folder is another user's, or somebody holds the lock for too long.
        sys.stderr.write(f"The database cannot be used: {error}. `make run` sets it up.\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
