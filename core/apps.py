"""The Django app of what all others stand on."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Users, tokens, problems, permissions: no knowledge of any other app."""

    name = "core"
    label = "core"
    verbose_name = "Users and tokens"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what the audit trail shows of users, roles and tokens."""
        from core.audited import declare_all  # noqa: PLC0415  models load after the apps

        declare_all()
