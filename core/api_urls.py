"""What this app answers under `/api/v1/`."""

from django.urls import path

from core.audit import api
from core.users import api as users

urlpatterns = [
    path("audit/", api.AuditListView.as_view(), name="api-audit"),
    path("audit/<int:pk>/", api.AuditDetailView.as_view(), name="api-audit-event"),
    path("users/", users.UserListView.as_view(), name="api-users"),
    path("users/<int:pk>/", users.UserDetailView.as_view(), name="api-user"),
    path("users/<int:pk>/roles/", users.UserRolesView.as_view(), name="api-user-roles"),
]
