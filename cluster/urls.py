"""The pages of this app."""

from django.urls import path

from cluster import subject, views
from cluster.accounts.views import SuspendedLoginsView, SuspendedLoginView
from cluster.batches import urls as batches

app_name = "cluster"
urlpatterns = [
    path("setup/clusters/", views.clusters, name="clusters"),
    path("setup/clusters/new/", views.cluster_form, name="cluster-new"),
    path("setup/clusters/<uuid:pk>/", views.cluster_form, name="cluster-edit"),
    path("setup/clusters/<uuid:pk>/delete/", views.cluster_delete, name="cluster-delete"),
    path("setup/stengs/new/", views.steng_form, name="steng-new"),
    path("setup/stengs/<uuid:pk>/", views.steng_form, name="steng-edit"),
    path("setup/stengs/<uuid:pk>/delete/", views.steng_delete, name="steng-delete"),
    path("setup/stengs/<uuid:pk>/<slug:wish>/", views.steng_wish, name="steng-wish"),
    path("tests/", views.history, name="history"),
    path("tests/<uuid:pk>/", views.test, name="test"),
    path("tests/<uuid:pk>/panel/", views.panel, name="panel"),
    path("tests/<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("tests/<uuid:pk>/transcript/", views.transcript, name="transcript"),
    path("tests/<uuid:pk>/subject/", subject.SubjectView.as_view(), name="subject"),
    path("suspended-logins/", SuspendedLoginsView.as_view(), name="suspended-logins"),
    path("suspended-logins/<uuid:pk>/", SuspendedLoginView.as_view(), name="suspended-login"),
    *batches.urlpatterns,
]
