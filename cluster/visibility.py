"""Which tests a user may know of, and end.

A test of a saved connection is everybody's who may see tests. A test of values that nobody saved is its
requester's: it names a host, and a user, that somebody only tried. Who changes connections, or gives support,
sees those too. To everybody else there is no such test.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import HttpRequest
from rest_framework.request import Request

from cluster.models import Job
from core.permissions import has, owner_or, require

CANCEL = owner_or("tests.cancel", note="who asked for a test may always cancel it")
"""What cancelling takes, for the declarations of views; `require_cancel` decides about one test."""


def shown_to(user: AbstractBaseUser | AnonymousUser) -> Q:
    """Return the condition by which a user finds jobs."""
    if has(user, "connections.edit") or has(user, "support.open"):
        return Q()
    return Q(connection_id__isnull=False) | Q(requested_by=user.pk)


def require_cancel(request: HttpRequest | Request, job: Job) -> None:
    """Raise PermissionDenied unless the test is the user's own, or he may cancel those of others."""
    if job.requested_by_id is None or job.requested_by_id != request.user.pk:
        require(request, "tests.cancel")
