"""The pages of this app."""

from django.urls import path

from connections.views import listing, smtp

app_name = "connections"
urlpatterns = [
    path("connections/", listing.connection_list, name="list"),
    path("connections/smtp/conditions.css", smtp.conditions, name="conditions"),
    path("connections/smtp/new/", smtp.smtp_new, name="smtp-new"),
    path("connections/smtp/test/", smtp.smtp_test_draft, name="smtp-test-draft"),
    path("connections/smtp/check/", smtp.smtp_check, name="smtp-check-draft"),
    path("connections/smtp/<uuid:pk>/", smtp.smtp_edit, name="smtp-edit"),
    path("connections/smtp/<uuid:pk>/test/", smtp.smtp_test, name="smtp-test"),
    path("connections/smtp/<uuid:pk>/check/", smtp.smtp_check, name="smtp-check"),
    path("connections/smtp/<uuid:pk>/delete/", smtp.smtp_delete, name="smtp-delete"),
]
