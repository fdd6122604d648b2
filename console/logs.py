"""Where the log goes: standard error for who watches, a file per role for who comes later."""

from __future__ import annotations

import logging
from http import HTTPStatus
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path


class RoleFileHandler(RotatingFileHandler):
    """Write to `folder/role.log`, at most 5 files of 5 MB.

    Each role (web, steng, manage) has a file of its own, because two processes cannot rotate one file.
    The folder is made at the first line, not when the settings are read.
    """

    def __init__(self, folder: str, role: str) -> None:
        super().__init__(Path(folder) / f"{role}.log", maxBytes=5_000_000, backupCount=4, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return super()._open()


class RefusalsInOneLine(logging.Filter):
    """Take the traceback from what was refused: that somebody may not see a page is no fault of ours to be traced."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR) < HTTPStatus.INTERNAL_SERVER_ERROR:
            record.exc_info = None
        return True
