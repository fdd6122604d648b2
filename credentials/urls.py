"""The pages of this app."""

from django.urls import path

from credentials import views

app_name = "credentials"
urlpatterns = [
    path("credentials/", views.ListView.as_view(), name="list"),
    path("credentials/conditions.css", views.ConditionsView.as_view(), name="conditions"),
    path("credentials/search/", views.SearchView.as_view(), name="search"),
    path("credentials/new/", views.NewView.as_view(), name="new"),
    path("credentials/check/", views.CheckView.as_view(), name="check-draft"),
    path("credentials/<uuid:pk>/", views.EditView.as_view(), name="edit"),
    path("credentials/<uuid:pk>/check/", views.CheckView.as_view(), name="check"),
    path("credentials/<uuid:pk>/delete/", views.DeleteView.as_view(), name="delete"),
]
