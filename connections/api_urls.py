"""What this app answers under `/api/v1/`."""

from django.urls import path

from connections import api

urlpatterns = [
    path("connections/", api.ConnectionListView.as_view(), name="api-connections"),
    path("connections/smtp/", api.SmtpListView.as_view(), name="api-smtp-list"),
    path("connections/smtp/test/", api.SmtpDraftTestView.as_view(), name="api-smtp-test-draft"),
    path("connections/smtp/by-name/<path:name>/", api.SmtpByNameView.as_view(), name="api-smtp-by-name"),
    path("connections/smtp/<uuid:pk>/", api.SmtpDetailView.as_view(), name="api-smtp"),
    path("connections/smtp/<uuid:pk>/test/", api.SmtpTestView.as_view(), name="api-smtp-test"),
]
