"""The stages tls, trust and hostname: one handshake, told as three findings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from steng.offer import VERSIONS, NotAvailableError, Offer, abilities, names, offer_of
from steng.probe import tls, trust
from steng.probe.channel import Channel
from steng.probe.course import Course, Running
from steng.probe.failure import ProbeFailure, reading_of
from steng.probe.lookalike import looks_like
from steng.probe.path import read
from steng.probe.resolve import literal_of
from steng.probe.server_hello import Choice
from steng.text import brief
from steng.wire import ProbeRequest, Security, StageName
from steng.x509 import UnreadableCertificate

_SHOWN_NAMES = 20
_NOTHING_IN_COMMON = frozenset({"protocol_not_accepted", "cipher_not_accepted", "closed"})
"""What a server does that cannot agree: it says so by one alert or the other, or hangs up without a word."""


LookAgain = Callable[[], Awaitable[Choice | None]]
"""Says a second hello with everything on, over a connection of its own; returns what the server would choose."""


class Securing:
    """Shake hands with one server, and say what its certificates are worth."""

    def __init__(self, request: ProbeRequest, host: str, look_again: LookAgain) -> None:
        self._request = request
        self._look_again = look_again
        self._host = host
        self._match = request.tls.match_server_hostname
        self.handshake = tls.Handshake(request.trust)

    async def run(self, course: Course, channel: Channel) -> None:
        """Run the three stages; raises Ended where one fails, and then no application byte was sent."""
        async with course.stage(StageName.TLS) as stage:
            self.handshake.offer = self._offer(stage)
            await self._shake_hands(stage, channel)
        diagnosis = self._diagnose()
        async with course.stage(StageName.TRUST) as stage:
            self._judge_trust(stage, diagnosis)
        async with course.stage(StageName.HOSTNAME) as stage:
            self._judge_name(stage, diagnosis)

    def _offer(self, stage: Running) -> Offer:
        """Return what the definition allows, of what can be done here; what cannot ends the test before a byte."""
        try:
            offer = offer_of(self._request.tls, abilities())
        except NotAvailableError as missing:
            suggestion = {"suggestion": {missing.field: list(missing.keeps)}} if missing.keeps else {}
            evidence = {"not_available": list(missing.names), **suggestion}
            raise ProbeFailure(missing.code, missing.detail, field=missing.field, evidence=evidence) from None
        stage.evidence["offered"] = {"versions": list(offer.versions), "suites": offer.suites and list(offer.suites)}
        return offer

    async def _shake_hands(self, stage: Running, channel: Channel) -> None:
        context = tls.contexts.get(self._request.trust, self.handshake.offer, match_hostname=self._match)
        try:
            await channel.secure(context, self._host, self.handshake)
        except OSError as error:
            if self.handshake.fault is not None:
                raise self.handshake.fault from None
            self._refuse_injected()
            if not tls.certificate_failed(self.handshake):
                failure = tls.failure_of(error, self.handshake, self._request.protocol.value) or reading_of(error)
                raise (await self._explained(failure) if failure else error) from None
        finally:
            stage.evidence |= self._evidence()

    async def _explained(self, failure: ProbeFailure) -> ProbeFailure:
        """Return a failure to agree with what the server would agree to, where it tells."""
        choice = await self._look_again() if failure.code in _NOTHING_IN_COMMON else None
        offer = self.handshake.offer
        if choice is None:
            return failure
        failure.evidence["server_would_choose"] = {"version": choice.version, "suite": choice.suite}
        if choice.version not in offer.versions:
            failure.code = "protocol_not_accepted"
            failure.detail = f"The server would speak {choice.version}; allowed is {names(offer.versions)}."
            wanted = [version for version in VERSIONS if version in {*offer.versions, choice.version}]
            failure.evidence["suggestion"] = {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": wanted}
        elif choice.suite not in (offer.suites or ()):
            failure.code = "cipher_not_accepted"
            allowed = f"allowed is {names(offer.suites)}" if offer.suites else "ALL leaves it out"
            failure.detail = f"The server would choose {choice.suite}; {allowed}."
            wanted = [*(offer.suites or ()), choice.suite]
            failure.evidence["suggestion"] = {"cipher_suite_mode": "SPECIFIC", "cipher_suites": wanted}
        return failure

    def _refuse_injected(self) -> None:
        # Text that came after the ClientHello instead of with the answer to STARTTLS: the same finding, a moment later.
        first = self.handshake.first_bytes
        if self._request.security is Security.STARTTLS and first and looks_like(first) != "TLS":
            raise ProbeFailure("injected_data", evidence={"bytes": len(first)}, stage=StageName.STARTTLS)

    def _evidence(self) -> dict[str, object]:
        shown = {"version": self.handshake.version, "cipher_suite": self.handshake.cipher}
        if self.handshake.chain:
            try:
                shown["key"] = read(self.handshake.chain[0]).facts.key
            except UnreadableCertificate:
                shown["key"] = None
        return {name: value for name, value in shown.items() if value is not None}

    def _diagnose(self) -> trust.Diagnosis:
        if not tls.certificate_failed(self.handshake):
            return trust.Diagnosis(None)
        host = self._host if self._match else None
        now = datetime.now(UTC)
        found = trust.diagnose(self.handshake.chain, self._request.trust, host, now, self.handshake.verify_code)
        # Nothing found although the handshake was refused: it stays refused, under the code that was thrown.
        return (
            found if found.code else trust.Diagnosis("certificate_unknown_issuer", {"certificate_unknown_issuer": ""})
        )

    def _judge_trust(self, stage: Running, diagnosis: trust.Diagnosis) -> None:
        chain, trusted = self.handshake.chain, self._request.trust
        # Only a handshake without any fault has checked the whole chain: OpenSSL looks at the name before signatures.
        checked = self.handshake.verified if diagnosis.code is None else ()
        stage.evidence["chain"] = trust.evidence_of(chain)
        stage.evidence["chain_length"] = len(chain)
        stage.evidence["complete_to_root"] = trust.complete_to_root(chain, trusted, checked)
        if diagnosis.code not in {None, "hostname_mismatch"}:
            raise ProbeFailure(str(diagnosis.code), diagnosis.detail, evidence={"also": diagnosis.also})
        voucher = self.handshake.voucher or trust.likely_voucher(chain, trusted)
        if voucher is not None:
            stage.evidence["accepted_by"] = {"kind": voucher.kind, "id": voucher.id, "name": voucher.name}
        verified = self.handshake.verified or chain
        for code, detail in trust.warnings_of(chain, verified, datetime.now(UTC), checked).items():
            stage.warn(code, detail)

    def _judge_name(self, stage: Running, diagnosis: trust.Diagnosis) -> None:
        leaf = read(self.handshake.chain[0])
        facts = leaf.facts
        stage.evidence |= {
            "host": self._host,
            "match": self._match,
            "names": [brief(name, trust.MAX_NAME) for name in facts.names[:_SHOWN_NAMES]],
        }
        if not facts.names:
            stage.evidence["common_name"] = brief(facts.common_name, trust.MAX_NAME)
        mismatch = diagnosis.code == "hostname_mismatch"
        if not mismatch and leaf.names_host(self._host):
            return
        suggested = self._suggested(facts.names)
        if suggested:
            stage.evidence["suggestion"] = {"host": suggested}
        if mismatch or self._match:
            raise ProbeFailure("hostname_mismatch", diagnosis.detail if mismatch else "")
        names = trust.named(facts, 5)
        detail = f"The certificate is made for {names}, not for {self._host}; the match is off, so the test went on."
        stage.warn("hostname_mismatch_ignored", detail)

    @staticmethod
    def _suggested(names: tuple[str, ...]) -> str | None:
        """Return the first name that somebody could type as a host."""
        whole = [name for name in names if not name.startswith("*") and len(name) <= trust.MAX_NAME]
        return next((name for name in whole if literal_of(name) is None), next(iter(whole), None))
