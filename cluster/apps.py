"""The app that knows where work runs: clusters, STENGs and jobs."""

from __future__ import annotations

from django.apps import AppConfig


class ClusterConfig(AppConfig):
    """Register the app under its label."""

    name = "cluster"
    verbose_name = "Clusters and tests"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the rotation of keys find the sealed requests of live jobs; say what the audit trail shows."""
        from cluster.audited import declare_all  # noqa: PLC0415  models load after the apps
        from cluster.dispatch.intake import SEALED_FIELD  # noqa: PLC0415
        from cluster.models import Job  # noqa: PLC0415
        from credentials.vault import register_sealed  # noqa: PLC0415

        declare_all()
        register_sealed(Job, "sealed_request", SEALED_FIELD)
