"""The pages of batches; they belong to the app `cluster`."""

from django.urls import path

from cluster.batches import views

urlpatterns = [
    path("bulk/", views.batches, name="batches"),
    path("bulk/<uuid:pk>/", views.batch, name="batch"),
    path("bulk/<uuid:pk>/live/", views.live, name="batch-live"),
    path("bulk/<uuid:pk>/cancel/", views.cancel, name="batch-cancel"),
]
