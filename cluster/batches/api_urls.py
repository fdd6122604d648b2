"""What batches answer under /api/v1/."""

from django.urls import path

from cluster.batches import api

urlpatterns = [
    path("batches/", api.BatchListView.as_view(), name="api-batches"),
    path("batches/<uuid:pk>/", api.BatchDetailView.as_view(), name="api-batch"),
    path("batches/<uuid:pk>/cancel/", api.BatchCancelView.as_view(), name="api-batch-cancel"),
]
