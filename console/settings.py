"""The settings of the console. What an installation may choose is read by `console.env`; the rest stands here."""

from __future__ import annotations

import os
from datetime import timedelta

from django.utils.functional import SimpleLazyObject

from console import env

ENVIRONMENT = env.read()
BASE_DIR = env.BASE
DATA = ENVIRONMENT.data

# Ours, for the apps: they never read the environment.
POSTERN_DATA = DATA
POSTERN_PORT = ENVIRONMENT.port
POSTERN_BIND = ENVIRONMENT.bind
POSTERN_VAULT_KEY_FILE = DATA / "vault.key"
POSTERN_BEHIND_TLS = ENVIRONMENT.behind_tls
POSTERN_ALLOW_LOOPBACK = ENVIRONMENT.allow_loopback
POSTERN_PER_TARGET = ENVIRONMENT.per_target
POSTERN_IDEMPOTENCY_RETENTION = timedelta(hours=24)
POSTERN_JOB_RETENTION = timedelta(days=90)
POSTERN_JOB_LIMIT = 100_000
POSTERN_LOGIN_FAILURES = 10
POSTERN_LOGIN_FAILURES_PER_ADDRESS = 100
POSTERN_LOGIN_WINDOW = timedelta(minutes=15)

DEBUG = False
# Lazy, so that reading the settings writes nothing: the set-up, or the first session, makes the key.
SECRET_KEY = SimpleLazyObject(lambda: env.secret_key(DATA))
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

INSTALLED_APPS = [
    "core",
    "connections",
    "credentials",
    "untrusted_cache",
    "cluster",
    "console",
    "console.admin_app.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "heroicons",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.NoStoreMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.middleware.LogInRequiredMiddleware",
    "core.audit.middleware.ActorMiddleware",
    "core.middleware.MustChangePasswordMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.permissions.context",
            ]
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "postern.sqlite3",
        "OPTIONS": {
            # WAL: readers and the one writer do not wait for each other. FULL: what is committed survives a power
            # cut, which the mark "credentials were sent" relies on.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            # A transaction that starts reading and then wants to write fails at once when another wrote meanwhile;
            # one that takes the write lock first only waits.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "core.User"
LOGIN_URL = "core:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "core:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# A body beyond this is refused before it is read into memory; certificates and definitions are far smaller.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10

SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # not Strict: a link in a mail would show the log-in page to who is logged in
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "core.views.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if ENVIRONMENT.behind_tls:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in ALLOWED_HOSTS]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["core.authentication.TokenAuthentication", "core.authentication.BrowserSession"],
    "DEFAULT_PERMISSION_CLASSES": ["core.permissions.ActionPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.Pagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Postern",
    "DESCRIPTION": "Define the mail connections of a managed file-transfer installation, and prove that they work.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["core.permissions.ActionPermission"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Names of enumerations that several fields share, or whose field's name is that of another enumeration's.
    "ENUM_NAME_OVERRIDES": {
        "SecurityEnum": "connections.choices.Security",
        "SelectionEnum": "connections.choices.Selection",
        "StatusEnum": "connections.choices.Status",
        "KindEnum": "connections.choices.Kind",
        "CredentialKindEnum": "credentials.choices.CredentialKind",
        "BatchActionEnum": "cluster.batches.choices.Action",
        "BatchStateEnum": "cluster.batches.choices.BatchState",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"refusals": {"()": "console.logs.RefusalsInOneLine"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]},
        "file": {
            "()": "console.logs.RoleFileHandler",
            "folder": str(DATA / "logs"),
            "role": os.environ.get("POSTERN_ROLE", "manage"),
            "formatter": "line",
            "filters": ["refusals"],
        },
    },
    "root": {"handlers": ["stderr", "file"], "level": "INFO"},
    "loggers": {
        # Without these two, Django would mail errors with the request's values, or print them twice.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # At DEBUG it prints the parameters of every statement, sealed secrets and digests among them.
        "django.db.backends": {"level": "WARNING"},
    },
}
