"""Certificates that servers presented, the chains they stood in, and those an admin trusts.

A *chain* is one presentation: this endpoint showed these certificates in this order. Whether it
is settled is derived at reading from the trust store and from rejections, so that an entry
that expires tonight is out of force tonight, without anybody writing anything.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import uuid

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse

from core.errors import invalid
from core.fields import (
    NameField,
    NameListField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictTextField,
)
from core.net import endpoint
from core.text import comparison_key
from untrusted_cache.choices import Kind, Role
from untrusted_cache.validators import read_host

MAX_DER = 100_000
"""Bytes of one stored certificate: the largest that serve mail have some 10 kB, a limit of OpenSSL's is 100 kB."""

MAX_REASON = 2048
EXPIRES_SOON = dt.timedelta(days=30)


class CertificateFacts(models.Model):
    """What a certificate says of itself, cleaned and cut: for people and look-ups, the bytes are the truth."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the certificate, lower-case hex.")
    der = models.BinaryField(max_length=MAX_DER, blank=True, default=b"")
    title = models.CharField(max_length=300, blank=True)
    subject = models.TextField(blank=True)
    issuer = models.TextField(blank=True)
    # Names can be longer than what a database indexes, so look-ups from child to issuer go by digest.
    subject_digest = models.CharField(max_length=64, blank=True, db_index=True)
    issuer_digest = models.CharField(max_length=64, blank=True, db_index=True)
    serial = models.CharField(max_length=100, blank=True)
    names = models.JSONField(default=list, blank=True)
    names_count = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=100, blank=True)
    signature = models.CharField(max_length=100, blank=True)
    is_ca = models.BooleanField(default=False)
    self_signed = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title or self.fingerprint[:16]

    @property
    def more_names(self) -> int:
        """Return how many names the certificate has beyond those that are kept."""
        return max(0, self.names_count - len(self.names))

    @property
    def pem(self) -> str:
        """Return the certificate in PEM, empty where its bytes were not kept."""
        return ssl.DER_cert_to_PEM_cert(bytes(self.der)) if self.der else ""


class CachedCertificate(CertificateFacts):
    """A certificate that some server presented. One that cannot be read has a fingerprint and nothing else."""

    malformed = models.BooleanField(default=False)
    size = models.PositiveIntegerField(default=0, help_text="Bytes that are stored.")
    rejected_by = models.CharField(max_length=150, blank=True)
    rejected_at = models.DateTimeField(null=True, blank=True, db_index=True)
    rejected_reason = StrictTextField(max_length=MAX_REASON, blank=True, default="")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-last_seen", "id"]
        verbose_name = "cached certificate"
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="cached_certificate_fingerprint")]

    def clean(self) -> None:
        """Refuse a rejection that gives no reason."""
        reason = self.rejected_reason
        if self.rejected_at is not None and isinstance(reason, str) and not reason.strip():
            raise ValidationError({"rejected_reason": [invalid("required", "Say why it is rejected.")]})


class TrustEntry(CertificateFacts):
    """A certificate that an admin trusts: an anchor for whatever it signs, a pin of itself alone at one endpoint."""

    name = NameField()
    name_key = models.CharField(max_length=600, editable=False, blank=True)
    kind = StrictChoiceField(choices=Kind.choices)
    host = StrictCharField(max_length=253, blank=True, default="")
    port = StrictIntegerField(minimum=1, maximum=65_535, null=True, blank=True)
    scope = NameListField(blank=True, help_text="Hosts that the anchor may vouch for; empty means any.")
    starts = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    reason = StrictTextField(max_length=MAX_REASON)
    trusted_by = models.CharField(max_length=150)
    trusted_at = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        ordering = ["name_key"]
        verbose_name = "trust-store entry"
        verbose_name_plural = "trust-store entries"
        constraints = [
            models.UniqueConstraint(fields=["name_key"], name="trust_entry_name"),
            models.UniqueConstraint(
                fields=["fingerprint"], condition=models.Q(kind="anchor"), name="trust_entry_anchor"
            ),
            models.UniqueConstraint(
                fields=["fingerprint", "host", "port"], condition=models.Q(kind="pin"), name="trust_entry_pin"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="anchor", host="", port__isnull=True, is_ca=True)
                | models.Q(kind="pin", port__isnull=False, scope="") & ~models.Q(host=""),
                name="trust_entry_kind_fits",
            ),
        ]
        indexes = [
            models.Index(fields=["host", "port"], name="trust_entry_endpoint"),
            models.Index(fields=["fingerprint"], name="trust_entry_fingerprint"),
        ]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def endpoint(self) -> str:
        """Return `host:port` of a pin, empty for an anchor."""
        return "" if self.port is None else endpoint(str(self.host), self.port)

    def get_absolute_url(self) -> str:
        """Return the page of this entry."""
        return reverse("untrusted_cache:entry", args=[self.id])

    def clean(self) -> None:
        """Check what no single field can: a name of its own, hosts of the scope, dates in their order."""
        problems: dict[str, list[ValidationError]] = {}
        problems |= self._clean_name()
        problems |= self._clean_scope()
        if self.kind == Kind.ANCHOR and not self.is_ca:
            problems["as"] = [invalid("not_a_ca", "This certificate is no authority, so it cannot be an anchor.")]
        if self.expires is not None and self.expires <= (self.starts or self.trusted_at):
            problems["expires"] = [invalid("out_of_range", "The trust would end before it starts.")]
        if problems:
            raise ValidationError(problems)

    def _clean_name(self) -> dict[str, list[ValidationError]]:
        if not isinstance(self.name, str):
            return {}  # the field itself said so
        self.name_key = comparison_key(self.name)
        other = type(self).objects.filter(name_key=self.name_key).exclude(pk=self.pk).only("id").first()
        if other is None:
            return {}
        return {"name": [invalid("not_unique", "Another entry has this name.", id=str(other.id))]}

    def _clean_scope(self) -> dict[str, list[ValidationError]]:
        if not isinstance(self.scope, list):
            return {}  # the field itself said so
        if self.scope and self.kind == Kind.PIN:
            return {"scope": [invalid("not_available", "A pin is for its endpoint alone; only an anchor has a scope.")]}
        try:
            self.scope = list(dict.fromkeys(read_host(host) for host in self.scope if isinstance(host, str)))
        except ValidationError as error:
            return {"scope": error.error_list}
        return {}


class Chain(models.Model):
    """One endpoint presented one chain, once or often: when, to which STENG, for which connection, why it failed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 over the fingerprints in their order.")
    code = models.CharField(max_length=60, help_text="Why it was not trusted, last time.")
    certificates = models.ManyToManyField(CachedCertificate, through="ChainLink", related_name="chains")
    # Entries whose certificate stands in the chain or signed one of it. The signature was checked when this was
    # written; whether an entry is in force, and for this endpoint, is asked at reading.
    vouchers = models.ManyToManyField(TrustEntry, related_name="chains", blank=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=1)
    first_by = models.CharField(max_length=150, blank=True)
    last_by = models.CharField(max_length=150, blank=True)
    steng = models.CharField(max_length=128, blank=True)
    connection_id = models.UUIDField(null=True, blank=True)
    connection_kind = models.CharField(max_length=20, blank=True)
    connection_name = models.CharField(max_length=128, blank=True)

    class Meta:
        ordering = ["-last_seen", "id"]
        constraints = [models.UniqueConstraint(fields=["host", "port", "digest"], name="chain_presented_once")]

    def __str__(self) -> str:
        return self.endpoint

    @property
    def endpoint(self) -> str:
        """Return `host:port`, with brackets around an IPv6 address."""
        return endpoint(self.host, self.port)

    def get_absolute_url(self) -> str:
        """Return the page on which exactly this chain is shown first, whatever has been decided about it."""
        return f"{reverse('untrusted_cache:cache')}?chain={self.id}#chain-{self.id}"


class ChainLink(models.Model):
    """The place of a certificate in a chain; 0 is the leaf."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="links")
    certificate = models.ForeignKey(CachedCertificate, on_delete=models.CASCADE, related_name="links")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["chain", "position"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "position"], name="chain_link_position"),
            models.UniqueConstraint(fields=["chain", "certificate"], name="chain_link_certificate"),
        ]

    def __str__(self) -> str:
        return f"{self.position}"

    @property
    def role(self) -> Role:
        """Return what the certificate is in this chain: what stands first is the leaf, whatever it says of itself."""
        if self.position == 0:
            return Role.LEAF
        return Role.ROOT if self.certificate.self_signed else Role.INTERMEDIATE


class TrustChange(models.Model):
    """One line for every change of trust, never altered; the highest id is the version of all trust.

    Without a host it may concern every endpoint, without a port every port of its host.
    """

    id = models.BigAutoField(primary_key=True)
    host = models.CharField(max_length=253, null=True, blank=True)  # noqa: DJ001 (null says "any", as for the port)
    port = models.PositiveIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["host", "port"], name="trust_change_endpoint")]

    def __str__(self) -> str:
        return f"{self.id}"


def digest(text: str) -> str:
    """Return the SHA-256 of a text, by which long names are looked up."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
