"""What `manage.py up` makes sure of before anything starts. Each step does nothing where nothing is to be done."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from cluster.services import ensure_local
from core import audit
from core.files import replace_private
from core.models import User
from core.services import change_password, create_administrator
from credentials.services import VaultMismatch, prepare_vault
from credentials.vault import VaultUnavailable

ADMINISTRATOR = "admin"
PASSWORD_FILE = "admin-password"  # noqa: S105  the name of a file


class NotReady(Exception):
    """Say in one sentence why the console cannot start."""


def check_folder(data: Path) -> None:
    """Make the data folder and prove that it can be written; raise NotReady."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / "run").mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=data, prefix=".can-write-"):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            reason = "it is, or lies under, something that is no folder"
        raise NotReady(f"The data folder {data} (POSTERN_DATA) cannot be written: {reason}.") from None


def prepare(password: str | None, tell: Callable[[str], None], *, is_terminal: bool) -> None:
    """Bring database, vault, local STENG, first administrator and static files up to date; raise NotReady.

    `password` is the operator's choice for the first administrator; `tell` takes lines for who looks on.
    """
    str(settings.SECRET_KEY)  # made here once, not by two processes at the first log-in
    try:
        _migrate(tell)
        with audit.acting(audit.Actor(None, "preparation", audit.Door.SYSTEM)):
            prepare_vault()
            ensure_local(timezone.now())
            _first_administrator(password, tell, is_terminal=is_terminal)
        _forget_spent_password()
    except (VaultMismatch, VaultUnavailable) as error:
        raise NotReady(str(error)) from None
    except DatabaseError as error:
        raise NotReady(f"The database {settings.DATABASES['default']['NAME']} cannot be used: {error}.") from None
    finally:
        connection.close()
    _collect_static(tell)


def _migrate(tell: Callable[[str], None]) -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        tell("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)


def _first_administrator(password: str | None, tell: Callable[[str], None], *, is_terminal: bool) -> None:
    """Make the first administrator; where there is one already, of whatever name, nobody is touched."""
    if User.objects.filter(is_superuser=True).exists():
        return
    if password:
        _with_chosen_password(password, tell)
        return
    made_up = secrets.token_urlsafe(15)
    with transaction.atomic():
        user = create_administrator(ADMINISTRATOR, made_up, must_change=True)
        if user is None:
            return
        # Told before the commit: a password that nobody has seen must not be the one that is stored.
        if is_terminal:
            tell(f"First log-in: user {ADMINISTRATOR}, password {made_up} (shown only now; it must then be changed).")
        else:
            path = settings.POSTERN_DATA / PASSWORD_FILE
            replace_private(path, f"{made_up}\n")
            tell(f"First log-in: user {ADMINISTRATOR}, the password is in {path}; it must then be changed.")


def _forget_spent_password() -> None:
    """Remove the file of the first password once it has been changed: it opens nothing and alarms whoever finds it."""
    if not User.objects.filter(username=ADMINISTRATOR, must_change_password=True).exists():
        (settings.POSTERN_DATA / PASSWORD_FILE).unlink(missing_ok=True)


def _with_chosen_password(password: str, tell: Callable[[str], None]) -> None:
    try:
        create_administrator(ADMINISTRATOR, password, must_change=False)
    except ValidationError as error:
        # The operator's own choice counts, on their own machine; but they should know what we think of it.
        with transaction.atomic():
            user = create_administrator(ADMINISTRATOR, secrets.token_urlsafe(15), must_change=False)
            if user is not None:
                change_password(user, password)
        tell(f"POSTERN_ADMIN_PASSWORD is weak, change it soon: {' '.join(error.messages)}")


def _collect_static(tell: Callable[[str], None]) -> None:
    stamp = settings.POSTERN_DATA / "run" / "static.stamp"
    wanted = _static_digest()
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    try:
        if manifest.exists() and stamp.read_text(encoding="ascii") == wanted:
            return
    except OSError:
        pass  # never collected here
    tell("Collecting static files …")
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
        # Written last: whoever is interrupted collects again.
        stamp.write_text(wanted, encoding="ascii")
    except OSError as error:
        raise NotReady(f"The static files cannot be written to {settings.STATIC_ROOT}: {error.strerror}.") from None


def _static_digest() -> str:
    """Return a digest of what would be collected, from names, sizes and times: reading it all takes longer."""
    digest = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path}\n{status.st_size}\n{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
