"""What this app answers under /api/v1/."""

from django.urls import path

from cluster import api, subject
from cluster.accounts import api as accounts
from cluster.batches import api_urls as batches

urlpatterns = [
    path("clusters/", api.ClusterListView.as_view(), name="api-clusters"),
    path("clusters/<uuid:pk>/", api.ClusterDetailView.as_view(), name="api-cluster"),
    path("stengs/", api.StengListView.as_view(), name="api-stengs"),
    path("stengs/<uuid:pk>/", api.StengDetailView.as_view(), name="api-steng"),
    path("stengs/<uuid:pk>/enable/", api.StengEnableView.as_view(), name="api-steng-enable"),
    path("stengs/<uuid:pk>/disable/", api.StengDisableView.as_view(), name="api-steng-disable"),
    path("stengs/<uuid:pk>/drain/", api.StengDrainView.as_view(), name="api-steng-drain"),
    path("jobs/", api.JobListView.as_view(), name="api-jobs"),
    path("jobs/<uuid:pk>/", api.JobDetailView.as_view(), name="api-job"),
    path("jobs/<uuid:pk>/cancel/", api.JobCancelView.as_view(), name="api-job-cancel"),
    path("jobs/<uuid:pk>/transcript/", api.JobTranscriptView.as_view(), name="api-job-transcript"),
    path("jobs/<uuid:pk>/subject/", subject.JobSubjectView.as_view(), name="api-job-subject"),
    path("suspended-logins/", accounts.SuspendedLoginListView.as_view(), name="api-suspended-logins"),
    path("suspended-logins/<uuid:pk>/", accounts.SuspendedLoginDetailView.as_view(), name="api-suspended-login"),
    path(
        "suspended-logins/<uuid:pk>/lift/", accounts.SuspendedLoginLiftView.as_view(), name="api-suspended-login-lift"
    ),
    *batches.urlpatterns,
]
