"""The Django app of the definitions."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """What we connect to."""

    name = "connections"
    label = "connections"
    verbose_name = "Connections"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Answer the other apps: what connections use and are called, what is stale, how batches are performed."""
        # Models can be imported only once the apps are loaded.
        from connections import audited, bulk, kinds, staleness, usage  # noqa: PLC0415
        from core import wording  # noqa: PLC0415

        audited.declare_all()
        usage.register()
        staleness.register()
        bulk.register()
        kinds.register_secrets()
        for model in kinds.KINDS.values():
            wording.learn(model)
