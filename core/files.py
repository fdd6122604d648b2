"""Small files that nobody else may read: keys, made and replaced whole."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def create_private(path: Path, text: str) -> bool:
    """Make a file (mode 0600) with its whole content at once; return False where there is one already.

    Two processes that start together agree: the content is linked into place, and who comes second
    finds the first one's file. Raises OSError.
    """
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return True


def replace_private(path: Path, text: str) -> None:
    """Replace a file by one with mode 0600; a reader sees the old or the new, never a part. Raises OSError."""
    os.replace(_draft(path, text), path)
    _sync_folder(path.parent)


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    # Without this a power cut may lose the name of a file whose content is safe: and with a key, all it sealed.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
