"""`Idempotency-Key`: a POST that is sent twice is done once and answered twice.

A script that lost the answer sends the same request with the same key again, and gets the first answer.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Refused, invalid
from core.models import IdempotencyRecord, User

HEADER = "Idempotency-Key"
MAX_KEY = 255
MAX_RECORDS = 1_000
"""Answers kept per user; beyond it the oldest go, so that one script cannot fill the database."""

_ABANDONED = timedelta(minutes=10)
"""After this a request without an answer is taken for dead (the longest `?wait=` is one minute)."""

_KEPT_HEADERS = ("Location", "ETag")


def begin(user: User, key: str, request_digest: str, now: datetime) -> IdempotencyRecord:
    """Reserve a key and return its record; one with a `status` is an earlier answer, to be given again.

    Raises ValidationError for a key that is none, Refused `idempotency_mismatch` where it was used for another
    request, Refused `conflict` while the first request is still at work.
    """
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        sentence = f"{HEADER} takes 1 to {MAX_KEY} printable ASCII characters."
        raise ValidationError({"__all__": [invalid("invalid_type", sentence)]})
    mine = IdempotencyRecord.objects.filter(user=user)
    with transaction.atomic():
        mine.filter(created__lt=now - settings.POSTERN_IDEMPOTENCY_RETENTION).delete()
        mine.filter(key=key, status=None, created__lt=now - _ABANDONED).delete()
    try:
        with transaction.atomic():
            record = IdempotencyRecord.objects.create(user=user, key=key, request_digest=request_digest, created=now)
    except IntegrityError:
        # Somebody holds the key: the constraint decided, and the loser looks at what the winner did.
        return _earlier(mine.filter(key=key).first(), request_digest)
    surplus = list(mine.order_by("-created").values_list("pk", flat=True)[MAX_RECORDS : MAX_RECORDS + 100])
    if surplus:
        IdempotencyRecord.objects.filter(pk__in=surplus).delete()
    return record


def _earlier(record: IdempotencyRecord | None, request_digest: str) -> IdempotencyRecord:
    if record is not None and record.request_digest != request_digest:
        raise Refused("idempotency_mismatch", f"This {HEADER} was used for another request.")
    if record is None or record.status is None:
        raise Refused("conflict", f"The first request with this {HEADER} is still at work; ask again in a moment.")
    return record


def keep(record: IdempotencyRecord, status: int, headers: dict[str, str], body: str) -> None:
    """Keep an answer to give it again; anything but a success is forgotten, so that it can be tried anew."""
    if 200 <= status < 300:
        IdempotencyRecord.objects.filter(pk=record.pk).update(status=status, headers=headers, body=body)
    else:
        IdempotencyRecord.objects.filter(pk=record.pk).delete()


class _Replay(Exception):
    """Carry an earlier answer out of the view that need not run again."""

    def __init__(self, record: IdempotencyRecord) -> None:
        super().__init__(record.key)
        self.record = record


class IdempotentMixin(APIView):
    """Let the POSTs of a view honour `Idempotency-Key`, unless their answers must not be kept (`idempotent`)."""

    idempotent = True
    _record: IdempotencyRecord | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and authorise as ever, then reserve the key or answer as before."""
        super().initial(request, *args, **kwargs)
        key = request.headers.get(HEADER)
        if not self.idempotent or request.method != "POST" or key is None or not isinstance(request.user, User):
            return
        record = begin(request.user, key, _digest(request), timezone.now())
        if record.status is not None:
            raise _Replay(record)
        self._record = record

    def handle_exception(self, exc: Exception) -> Response:
        """Turn an earlier answer into the answer of this request."""
        if isinstance(exc, _Replay):
            return _again(exc.record)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keep the answer of a request that had a key."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._record is not None:
            headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
            data = getattr(response, "data", None)
            body = "" if data is None else JSONRenderer().render(data).decode()
            keep(self._record, response.status_code, headers, body)
        return response


def _again(record: IdempotencyRecord) -> Response:
    return Response(
        json.loads(record.body) if record.body else None,
        status=record.status,
        headers={**record.headers, "Idempotent-Replayed": "true"},
    )


def _digest(request: Request) -> str:
    """Return an HMAC of method, address and body; of the body of a form with files, what the parser will see."""
    content = b"\0".join(
        (
            (request.method or "").encode(),
            request.get_full_path().encode(),
            (request.content_type or "").partition(";")[0].encode(),
            request._request.body,  # noqa: SLF001  read before REST framework does, which then reads our copy
        )
    )
    return salted_hmac("postern.idempotency", content, algorithm="sha256").hexdigest()
