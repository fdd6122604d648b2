"""The stock admin of Django, for support staff, behind our own log-in."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    """The admin with the site of `core.admin_site`, whose log-in is ours."""

    default_site = "core.admin_site.ConsoleAdminSite"
