"""What this app answers under `/api/v1/`."""

from django.urls import path

from core.audit import api

urlpatterns = [
    path("audit/", api.AuditListView.as_view(), name="api-audit"),
    path("audit/<int:pk>/", api.AuditDetailView.as_view(), name="api-audit-event"),
]
