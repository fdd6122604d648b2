"""The pages of one's own account, the audit log, and health."""

from django.urls import path

from core import views
from core.audit.views import AuditLogView

app_name = "core"
urlpatterns = [
    path("login/", views.LogInView.as_view(), name="login"),
    path("logout/", views.LogOutView.as_view(), name="logout"),
    path("password/", views.PasswordView.as_view(), name="password-change"),
    path("audit/", AuditLogView.as_view(), name="audit"),
    path("theme/", views.theme, name="theme"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
