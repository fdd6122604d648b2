"""Certificates that nobody may trust, and such that one should know about."""

from collections.abc import Iterator

from steng.wire import TlsPolicy
from tests.lab.dialects import Moment
from tests.lab.faults.fault import TLS, Fault

_AT = Moment.TLS
REFUSED = (
    ("presents a certificate while nothing is trusted", "nobody trusted", "certificate_unknown_issuer"),
    ("presents a certificate of an unknown authority", "unknown root", "certificate_unknown_issuer"),
    ("presents a self-signed certificate", "self-signed", "certificate_self_signed"),
    ("presents a self-signed certificate that is marked as an authority", "self-signed CA", "certificate_self_signed"),
    ("forgets its intermediate certificate", "without intermediate", "certificate_missing_intermediate"),
    ("presents an expired certificate", "expired", "certificate_expired"),
    ("presents an expired certificate for another name", "expired and wrong", "certificate_expired"),
    ("presents an expired intermediate certificate", "expired intermediate", "certificate_expired"),
    ("presents a certificate that is not valid yet", "not yet valid", "certificate_not_yet_valid"),
    ("presents a certificate made for clients", "for clients", "certificate_wrong_purpose"),
    ("presents a certificate made for signing mail", "for mail", "certificate_wrong_purpose"),
    ("presents a certificate with a weak key", "weak key", "certificate_weak"),
    ("presents a certificate that a server's certificate signed", "signed by a leaf", "certificate_not_a_ca"),
    ("presents an authority more than allowed", "path too long", "certificate_path_length"),
    ("presents a certificate of an authority for other names", "constrained", "certificate_name_constraint"),
    ("presents an unknown critical extension", "critical extension", "certificate_critical_extension"),
    ("presents an intermediate certificate that cannot be read", "malformed", "certificate_malformed"),
    ("presents more than 100 certificates", "chain of 102", "chain_too_long"),
    ("presents a certificate that an admin rejected", "rejected", "certificate_rejected"),
    ("presents another certificate than the pinned one", "another than the pinned", "certificate_changed"),
)


def faults() -> Iterator[Fault]:
    """Yield them."""
    for name, presents, code in REFUSED:
        yield Fault(name=name, at=_AT, stage="trust", code=code, presents=presents)
    for name, presents, code in (
        ("presents a certificate that expires within days", "soon expired", "certificate_expires_soon"),
        ("presents its chain in the wrong order", "wrong order", "chain_order"),
    ):
        yield Fault(name=name, at=_AT, stage="trust", code=code, presents=presents, warning=True)
    match = {"tls": TlsPolicy(match_server_hostname=True)}
    yield Fault(
        name="presents a certificate for another host",
        at=_AT,
        stage="hostname",
        code="hostname_mismatch",
        presents="wrong host",
        request=match,
        evidence={"suggestion": {"host": "elsewhere.example"}},
    )
    yield Fault(
        name="presents a certificate for another host while names are not matched",
        at=_AT,
        stage="hostname",
        code="hostname_mismatch_ignored",
        presents="wrong host",
        warning=True,
    )
    yield Fault(
        name="is tested with a version that no agent speaks",
        at=_AT,
        code="protocol_not_available",
        securities=TLS,
        request={"tls": TlsPolicy(protocols=("SSLv3",))},
        field="ssl_protocols",
    )
    yield Fault(
        name="is tested with a suite that no agent can offer",
        at=_AT,
        code="cipher_not_available",
        securities=TLS,
        request={"tls": TlsPolicy(cipher_suites=("TLS_PSK_WITH_AES_128_CBC_SHA",))},
        field="cipher_suites",
    )
