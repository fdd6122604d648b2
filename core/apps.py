"""The Django app of what all others stand on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Users, tokens, problems, permissions: no knowledge of any other app."""

    name = "core"
    label = "core"
    verbose_name = "Users and tokens"
    default_auto_field = "django.db.models.BigAutoField"
