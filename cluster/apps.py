"""The app that knows where work runs: clusters, STENGs and jobs."""

from __future__ import annotations

from django.apps import AppConfig


class ClusterConfig(AppConfig):
    """Register the app under its label."""

    name = "cluster"
    verbose_name = "Clusters and tests"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the rotation of keys find what is sealed here; say what the audit trail shows."""
        from cluster.accounts import audited as audited_accounts  # noqa: PLC0415  models load after the apps
        from cluster.accounts import identity  # noqa: PLC0415
        from cluster.audited import declare_all  # noqa: PLC0415
        from cluster.dispatch.intake import SEALED_FIELD  # noqa: PLC0415
        from cluster.models import AccountKey, Job  # noqa: PLC0415
        from credentials.vault import register_sealed  # noqa: PLC0415

        declare_all()
        audited_accounts.declare_all()
        register_sealed(Job, "sealed_request", SEALED_FIELD)
        register_sealed(AccountKey, "sealed", identity.SEALED_FIELD)
