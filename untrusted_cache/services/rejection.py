"""Reject a certificate, and withdraw that."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction

from core import audit
from core.errors import Refused
from untrusted_cache.models import CachedCertificate, TrustEntry
from untrusted_cache.services.changes import note_change


def reject(certificate: CachedCertificate, *, reason: str, user: str, now: dt.datetime) -> CachedCertificate:
    """Refuse a certificate wherever it stands in a chain, whoever vouches for it; its own entries are removed.

    Idempotent: the first rejection keeps its reason. Raises ValidationError `required` on `reason`,
    Refused `not_found` where the certificate is gone.
    """
    with transaction.atomic():
        current = _locked(certificate)
        if current.rejected_at is not None:
            return current
        before = audit.snapshot(current)
        current.rejected_by, current.rejected_at, current.rejected_reason = user[:150], now, reason
        _save(current)
        audit.record("trust.rejected", current, before=before, after=audit.snapshot(current), reason=reason, now=now)
        # Kept entries would come back to life, unseen, with the withdrawal of the rejection.
        for entry in TrustEntry.objects.filter(fingerprint=current.fingerprint):
            subject, trusted = audit.thing(entry), audit.snapshot(entry)
            entry.delete()
            audit.record("trust.removed", subject, before=trusted, reason=reason, now=now, rejected=True)
        note_change(now)
    return current


def unreject(certificate: CachedCertificate, *, now: dt.datetime) -> CachedCertificate:
    """Withdraw a rejection: the certificate is untrusted again, no more; raise Refused `not_found` where it is gone."""
    with transaction.atomic():
        current = _locked(certificate)
        if current.rejected_at is None:
            return current
        before = audit.snapshot(current)
        current.rejected_by, current.rejected_at, current.rejected_reason = "", None, ""
        _save(current)
        audit.record("trust.unrejected", current, before=before, after=audit.snapshot(current), now=now)
        note_change(now)
    return current


def _locked(certificate: CachedCertificate) -> CachedCertificate:
    current = CachedCertificate.objects.select_for_update().filter(pk=certificate.pk).first()
    if current is None:
        raise Refused("not_found", "This certificate is no longer in the untrusted cache.")
    return current


def _save(certificate: CachedCertificate) -> None:
    try:
        certificate.full_clean()
    except ValidationError as error:
        # Every door calls the column "reason".
        found = error.error_dict
        if "rejected_reason" in found:
            found["reason"] = found.pop("rejected_reason")
        raise ValidationError(found) from None
    certificate.save()
