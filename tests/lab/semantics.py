"""What trust means: what a server presents x what an admin trusts, with what a test says of it.

The table is the oracle: `tests/integration/test_trust_semantics.py` tries every cell against a server that records what
it receives, and `docs/trust.md` is made from it (`python -m tests.lab.semantics`).
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from steng.wire import TrustSet
from tests.lab.asking import anchored, der_of
from tests.lab.debian import OPENSSL
from tests.lab.pki import Authority, Issued, KeyType, Pki, Purpose

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"
LATER = datetime.now(UTC) + timedelta(days=90)
HOST = "mail.lab.test"

OLD = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

Trusting = Callable[[Issued, Authority], TrustSet]
WAYS: Mapping[str, Trusting] = {
    "pin of the leaf": lambda issued, _: anchored(pins=(issued.der,)),
    "anchor: its issuer": lambda issued, root: anchored(
        issued.issuers[0].public_bytes(Encoding.DER) if issued.issuers else der_of(root)
    ),
    "anchor: the root": lambda _, root: anchored(der_of(root)),
    "nothing": lambda *_: TrustSet(),
}
"""What the admin trusts, by what the page calls it. The issuer is the one that the server sends, else the root."""

Told = tuple[str | None, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Row:
    """What a server presents, and the code for each way of trusting, in their order; None is success.

    `match` tells whether the name of the server is matched. With a code of `WARNINGS` the test goes on.
    """

    title: str
    make: Callable[[Pki], Issued]
    told: Told
    match: bool = False
    host: str = HOST
    root: Callable[[Pki], Authority] = lambda own: own.root


WARNINGS = frozenset({"hostname_mismatch_ignored", "chain_order"})


def page() -> str:
    """Return the page of the table."""
    lines = [_HEAD, "| what the server presents |" + "".join(f" {way} |" for way in WAYS), "|---|" + "---|" * len(WAYS)]
    lines += [f"| {row.title} |" + "".join(f" {_cell(code)} |" for code in row.told) for row in ROWS]
    return "\n".join(lines) + "\n"


def _cell(code: str | None) -> str:
    if code is None:
        return "works"
    return f"works, with the warning `{code}`" if code in WARNINGS else f"`{code}`"


_HEAD = """# What trust means

What a test says of what a server presents, by what is trusted here. Every cell is a test, with STARTTLS and with
implicit TLS, against a server that writes down what it receives
([test_trust_semantics](../tests/integration/test_trust_semantics.py)).
Where the test fails, no credential was sent.

* A **pin** is exactly one leaf, for one host and port. It is still checked for its dates, its purpose and its strength,
  and so is whatever the server sends with it: OpenSSL builds on from a trusted certificate, as far as it gets.
* An **anchor** is an authority, wherever it stands in the chain. What lies above it counts only where it is sent.
* Of several faults the first of a fixed order is the verdict, the others stand in `evidence.also`.
* Where nothing is trusted, the missing trust is the verdict, whatever else is wrong.
"""


def _good(own: Pki) -> Authority:
    return own.root.intermediate("Lasting CA", not_after=LATER)


def _deep(length: int) -> Callable[[Pki], Issued]:
    """Return what makes a chain of so many certificates, the root not counted."""

    def make(own: Pki) -> Issued:
        authority = own.root
        for number in range(length - 1):
            authority = authority.intermediate(f"CA {number}", path_length=None, not_after=LATER)
        return authority.issue(HOST, not_after=LATER)

    return make


def _muddled(own: Pki) -> Issued:
    issued = own.root.intermediate("First", path_length=1, not_after=LATER).intermediate("Second", not_after=LATER)
    leaf = issued.issue(HOST, not_after=LATER)
    return Issued(leaf.certificate, leaf.key, tuple(reversed(leaf.issuers)))


@functools.cache
def _rsa_root() -> Authority:
    return Authority.root("RSA Root CA", key_type=KeyType.RSA_2048)


def _signed_by_openssl(*options: str, names: bool = True) -> Callable[[Pki], Issued]:
    """Return what makes a leaf as no library of today signs it any more: with an old hash, or of version 1."""

    def make(_: Pki) -> Issued:
        leaf = _rsa_root().issue(HOST, key_type=KeyType.RSA_2048)
        ca = Issued(_rsa_root().certificate, _rsa_root().key)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files, key = ca.write(folder), leaf.write(folder / "leaf").key
            request, made = folder / "request.pem", folder / "made.pem"
            _openssl("req", "-new", "-key", key, "-subj", f"/CN={HOST}", "-out", request)
            signing = ["-CA", files.certificate, "-CAkey", files.key, "-set_serial", "7", "-days", "90", *options]
            if names:
                (folder / "extensions").write_text(f"subjectAltName=DNS:{HOST}")
                signing += ["-extfile", folder / "extensions"]
            _openssl("x509", "-req", "-in", request, "-out", made, *signing)
            certificate = x509.load_pem_x509_certificate(made.read_bytes())
        return Issued(certificate, leaf.key, ())

    return make


def _openssl(*arguments: object) -> None:
    subprocess.run([OPENSSL, *map(str, arguments)], check=True, capture_output=True)


_UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
_ELSEWHERE = x509.NameConstraints([x509.DNSName("elsewhere.example")], None)

_NUL = x509.SubjectAlternativeName([x509.DNSName(f"{HOST}\0.elsewhere.example")]), False
_ADDRESS = x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")]), False


def _of(*names: str, cn: str | None = None, **how: Any) -> Callable[[Pki], Issued]:
    """Return what makes a leaf of an intermediate; it does not expire soon."""
    return lambda own: _good(own).issue(*names, cn=cn, **{"not_after": LATER, **how})


def _below(**how: Any) -> Callable[[Pki], Issued]:
    return lambda own: own.root.intermediate("Limited CA", not_after=LATER, **how).issue(HOST, not_after=LATER)


def _too_deep(own: Pki) -> Issued:
    first = own.root.intermediate("First CA", path_length=0, not_after=LATER)
    return first.intermediate("Second CA", not_after=LATER).issue(HOST, not_after=LATER)


def _all(code: str | None, untrusted: str = "certificate_unknown_issuer") -> Told:
    return (code, code, code, untrusted)


_SELF, _MISSING = "certificate_self_signed", "certificate_missing_intermediate"
_RSA: Callable[[Pki], Authority] = lambda _: _rsa_root()  # noqa: E731  a value of the table

ROWS: tuple[Row, ...] = (
    Row("a sound certificate", _of(HOST), _all(None)),
    Row("one that has expired", _of(HOST, not_before=OLD[0], not_after=OLD[1]), _all("certificate_expired")),
    Row("one that is not valid yet", lambda own: own.not_yet_valid(HOST), _all("certificate_not_yet_valid")),
    Row("one made for clients", _of(HOST, purpose=Purpose.CLIENT), _all("certificate_wrong_purpose")),
    Row("one made for signing mail", _of(HOST, purpose=Purpose.EMAIL), _all("certificate_wrong_purpose")),
    Row("one for another name, names matched", _of("elsewhere.example"), _all("hostname_mismatch"), match=True),
    Row("one for another name, names not matched", _of("elsewhere.example"), _all("hostname_mismatch_ignored")),
    Row("a common name only, names matched", _of(cn=HOST), _all(None), match=True),
    Row("a wildcard for one label, names matched", _of("*.lab.test"), _all(None), match=True),
    Row("a wildcard for two labels, names matched", _of("*.test"), _all("hostname_mismatch"), match=True),
    Row("an address as a DNS name, reached by that address, names matched", _of(cn="x", extra=[_ADDRESS]),
        _all("hostname_mismatch"), match=True, host="127.0.0.1"),
    Row("a name with a NUL in it, names matched", _of(cn="x", extra=[_NUL]), _all("hostname_mismatch"), match=True),
    Row("a key of 1,024 bits (RSA)", _of(HOST, key_type=KeyType.RSA_1024), _all("certificate_weak")),
    Row("a signature with SHA-1", _signed_by_openssl("-sha1"), _all("certificate_weak", _MISSING), root=_RSA),
    Row("a signature with MD5", _signed_by_openssl("-md5"), _all("certificate_weak", _MISSING), root=_RSA),
    Row("a certificate of version 1", _signed_by_openssl("-sha256", names=False), _all(None, _MISSING), root=_RSA),
    Row("no intermediate", lambda own: own.without_intermediate(HOST), (None, _MISSING, _MISSING, _MISSING)),
    Row("an expired intermediate", lambda own: own.behind_expired_intermediate(HOST), _all("certificate_expired")),
    Row("its chain in the wrong order", _muddled, _all("chain_order")),
    Row("an authority for other names only", _below(extra=[(_ELSEWHERE, True)]), _all("certificate_name_constraint")),
    Row("an authority more than its root allows", _too_deep, (
        "certificate_path_length", None, "certificate_path_length", "certificate_unknown_issuer",
    )),
    Row("an unknown critical extension", _of(HOST, extra=[(_UNKNOWN, True)]), _all("certificate_critical_extension")),
    Row("a certificate that signed itself", lambda own: own.self_signed(HOST), (None, _SELF, _SELF, _SELF)),
    Row("one that also is an authority", lambda own: own.self_signed(HOST, ca=True), (None, _SELF, _SELF, _SELF)),
    Row("a chain of 10", _deep(10), _all(None)),
    Row("a chain of 100", _deep(100), _all(None)),
    Row("a chain of 101", _deep(101), ("chain_too_long",) * 4),
)  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
