"""What the tests of trust share: a moment, chains that were met, decisions."""

import datetime as dt
import html
import re

from cryptography.hazmat.primitives import serialization

from steng.x509 import fingerprint_of
from untrusted_cache import selectors, services
from untrusted_cache.models import CachedCertificate

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
DECIDE = "trust.decide"
CACHE = "/setup/untrusted/"
STORE = "/setup/trust/"
API_CACHE = "/api/v1/untrusted-cache/certificates/"
API_STORE = "/api/v1/trust-store/certificates/"
_TAGS = re.compile(r"<[^>]*>")


def ders(*certificates):
    """Return certificates as DER."""
    return tuple(certificate.public_bytes(serialization.Encoding.DER) for certificate in certificates)


def met(issued, host="mail.partner.example", port=587, now=NOW, code="certificate_unknown_issuer", **more):
    """Let an endpoint present a chain."""
    return services.remember(chain=ders(*issued.chain), code=code, host=host, port=port, now=now, **more)


def cached(der_or_issued):
    """Return the cached certificate of these bytes."""
    der = der_or_issued if isinstance(der_or_issued, bytes) else der_or_issued.der
    return CachedCertificate.objects.get(fingerprint=fingerprint_of(der))


def issuer_of(pki):
    """Return the intermediate as it was met."""
    return cached(ders(pki.intermediate.certificate)[0])


def decide(certificate, as_, **more):
    """Trust a cached certificate."""
    values = {"fingerprint": certificate.fingerprint, "reason": "Compared by telephone.", "user": "a.rossi", "now": NOW}
    return services.trust(certificate, as_=as_, **(values | more))


def codes(caught):
    """Return field and codes of a caught ValidationError."""
    return {name: [error.code for error in errors] for name, errors in caught.value.error_dict.items()}


def status_of(chain, now=NOW):
    """Return what became of a chain."""
    return selectors.chains(now).get(pk=chain.pk).status


def certificate_status(certificate, now=NOW):
    """Return what became of a certificate."""
    return selectors.certificates(now).get(pk=certificate.pk).status


def imported(pki):
    """Import the root as an anchor and return its entry."""
    (outcome,) = services.import_certificates(pki.root.pem, as_="anchor", reason="CA.", user="a.rossi", now=NOW)
    return outcome.entry


def words(response):
    """Return the text of a page as people read it."""
    return " ".join(html.unescape(_TAGS.sub(" ", response.content.decode())).split())


def error_codes(response):
    """Return the codes of the errors at fields of a page."""
    return re.findall(r'class="error" data-code="(\w+)"', response.content.decode())


def pointers(response):
    """Return pointer and code of every error of a problem."""
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


def decision(certificate, **more):
    """Return the body that pins a certificate."""
    return {"as": "pin", "fingerprint": certificate.fingerprint, "reason": "Compared by telephone."} | more
