"""The pages of this app."""

from django.urls import path

from untrusted_cache.views import cache, store

app_name = "untrusted_cache"
urlpatterns = [
    path("setup/untrusted/", cache.CacheView.as_view(), name="cache"),
    path("setup/untrusted/<uuid:key>/trust/", cache.TrustView.as_view(), name="trust"),
    path("setup/untrusted/<uuid:key>/reject/", cache.RejectView.as_view(), name="reject"),
    path("setup/untrusted/<uuid:key>/unreject/", cache.UnrejectView.as_view(), name="unreject"),
    path("setup/untrusted/<uuid:key>/forget/", cache.ForgetView.as_view(), name="forget"),
    path("setup/trust/", store.StoreView.as_view(), name="trust-store"),
    path("setup/trust/import/", store.ImportView.as_view(), name="import"),
    path("setup/trust/<uuid:key>/", store.EntryView.as_view(), name="entry"),
    path("setup/trust/<uuid:key>/remove/", store.RemoveView.as_view(), name="remove"),
]
