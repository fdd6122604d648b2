"""The pages of one's own account, the audit log, users, and health."""

from django.urls import path

from core import views
from core.audit.views import AuditLogView
from core.users import views as users

app_name = "core"
urlpatterns = [
    path("login/", views.LogInView.as_view(), name="login"),
    path("logout/", views.LogOutView.as_view(), name="logout"),
    path("password/", views.PasswordView.as_view(), name="password-change"),
    path("audit/", AuditLogView.as_view(), name="audit"),
    path("users/", users.UsersView.as_view(), name="users"),
    path("users/new/", users.NewUserView.as_view(), name="user-new"),
    path("users/<int:pk>/", users.UserView.as_view(), name="user"),
    path("theme/", views.theme, name="theme"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
