"""Settings of the test run: the real ones, with data of its own, a fast password hash and unhashed static files."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Before the real settings are read: no variable of the caller's shell reaches a test.
for _name in [name for name in os.environ if name.startswith("POSTERN_")]:
    del os.environ[_name]
_DATA = Path(tempfile.mkdtemp(prefix="postern-test-"))
os.environ["POSTERN_DATA"] = str(_DATA)
atexit.register(shutil.rmtree, _DATA, ignore_errors=True)

from console.settings import *  # noqa: E402, F403
from console.settings import DATABASES, LOGGING, POSTERN_VAULT_KEY_FILE  # noqa: E402
from credentials import key_ring  # noqa: E402

SECRET_KEY = "only-for-tests-" + "x" * 50
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

# A file, not memory: threads of the live server and of tests must meet in it as they do in production.
DATABASES["default"]["TEST"] = {"NAME": str(_DATA / "test.sqlite3")}
# No power cut in a test; what survives `kill -9` is tested on processes with the real settings.
DATABASES["default"]["OPTIONS"]["init_command"] = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;"
)

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = _DATA / "static"
STATIC_ROOT.mkdir()
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

LOGGING["handlers"] = {name: {"class": "logging.NullHandler"} for name in LOGGING["handlers"]}

key_ring.create(POSTERN_VAULT_KEY_FILE)
