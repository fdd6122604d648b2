"""What this app answers under `/api/v1/`."""

from django.urls import path

from credentials import api

urlpatterns = [
    path("credentials/", api.CredentialListView.as_view(), name="api-credentials"),
    path("credentials/by-name/<path:name>/", api.CredentialByNameView.as_view(), name="api-credential-by-name"),
    path("credentials/<uuid:pk>/", api.CredentialDetailView.as_view(), name="api-credential"),
]
