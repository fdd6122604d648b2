"""Which stages a request goes through, in their order: known before the first byte, to the probe and to who waits."""

from __future__ import annotations

import dataclasses

from steng.wire import Authentication, Depth, ProbeRequest, Protocol, Purpose, Security, StageName

_DEPTHS = list(Depth)
_TLS = (StageName.TLS, StageName.TRUST, StageName.HOSTNAME)
_TALK = (StageName.GREETING, StageName.CAPABILITIES)


def plan_of(request: ProbeRequest) -> list[StageName]:
    """Return the stages that apply to a request, in their order. To list folders is always a whole conversation."""
    if request.purpose is Purpose.FOLDERS:
        request = dataclasses.replace(request, purpose=Purpose.TEST, depth=Depth.FULL)
    reach = _DEPTHS.index(request.depth)
    with_tls = reach >= _DEPTHS.index(Depth.TLS)
    plan = [StageName.RESOLVE, StageName.CONNECT]
    if request.security is Security.SSL_TLS:
        plan += (*_TLS, *_TALK) if with_tls else ()
    else:
        plan += _TALK
        if request.security is Security.STARTTLS and with_tls:
            plan += (StageName.STARTTLS, *_TLS, StageName.CAPABILITIES)
    if reach >= _DEPTHS.index(Depth.LOGIN) and signs_in(request):
        plan.append(StageName.AUTH)
    if request.depth is Depth.FULL and request.protocol is Protocol.SMTP and request.sender_address:
        plan.append(StageName.SENDER)
    if StageName.AUTH in plan and request.protocol is not Protocol.SMTP and request.depth is Depth.FULL:
        plan.append(StageName.FOLDER)
    if StageName.GREETING in plan:
        plan.append(StageName.QUIT)
    return plan


def signs_in(request: ProbeRequest) -> bool:
    """Tell whether the definition asks for a login on the mail server itself."""
    if request.authentication is Authentication.BASIC:
        return request.login is not None
    return request.authentication is Authentication.OAUTH2_CLIENT_CREDENTIAL
