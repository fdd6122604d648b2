"""The Django app of the project itself."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The project as an app, so that it can bring its commands."""

    name = "console"
    label = "console"
    verbose_name = "Console"
    default_auto_field = "django.db.models.BigAutoField"
