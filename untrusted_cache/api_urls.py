"""What this app answers under /api/v1/."""

from django.urls import path

from untrusted_cache import api

urlpatterns = [
    path("untrusted-cache/certificates/", api.CachedCertificates.as_view(), name="api-cached-certificates"),
    path(
        "untrusted-cache/certificates/<uuid:key>/", api.CachedCertificateDetail.as_view(), name="api-cached-certificate"
    ),
    path(
        "untrusted-cache/certificates/<uuid:key>/trust/", api.TrustCertificate.as_view(), name="api-trust-certificate"
    ),
    path(
        "untrusted-cache/certificates/<uuid:key>/reject/",
        api.RejectCertificate.as_view(),
        name="api-reject-certificate",
    ),
    path("trust-store/certificates/", api.TrustEntries.as_view(), name="api-trust-entries"),
    path("trust-store/certificates/<uuid:key>/", api.TrustEntryDetail.as_view(), name="api-trust-entry"),
]
