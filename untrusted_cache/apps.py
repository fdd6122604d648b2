"""The Django app of trust."""

from django.apps import AppConfig


class UntrustedCacheConfig(AppConfig):
    """Certificates met and not trusted, and the trust store."""

    name = "untrusted_cache"
    label = "untrusted_cache"
    verbose_name = "Trust"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what the audit trail shows of trust."""
        from untrusted_cache.audited import declare_all  # noqa: PLC0415  models load after the apps

        declare_all()
