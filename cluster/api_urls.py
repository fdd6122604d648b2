"""What this app answers under /api/v1/."""

from django.urls import path

from cluster import api

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
]
