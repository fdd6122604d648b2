"""The Django app of secrets."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    """Credentials, and the vault that seals what must not be read."""

    name = "credentials"
    label = "credentials"
    verbose_name = "Secrets"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let /readyz ask whether the keys are those of the database; say what is sealed, and what the audit shows."""
        from core.health import register_check  # noqa: PLC0415  models load after the apps
        from credentials.audited import declare_all  # noqa: PLC0415
        from credentials.models import register_secrets  # noqa: PLC0415
        from credentials.services import check_vault  # noqa: PLC0415

        register_check("vault", check_vault)
        register_secrets()
        declare_all()
