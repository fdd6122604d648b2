"""A bare client, written for the comparison: the least that asyncio can do for the same seven round trips.

TCP, greeting, EHLO, STARTTLS, TLS verified by chain and name, chain captured, EHLO, AUTH PLAIN. It diagnoses
nothing, limits nothing and believes what is injected behind STARTTLS: it is a measure, not a model.
"""

from __future__ import annotations

import asyncio
import base64
import ssl

from bench.mailserver import Target

_DER = 2  # `_ssl.ENCODING_DER`


def context_for(root: str) -> ssl.SSLContext:
    """Return a context that trusts one authority (PEM) alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=root)
    return context


async def sign_in(target: Target, context: ssl.SSLContext) -> list[bytes]:
    """Sign in and return the chain that was presented, as DER; raise ValueError for an unexpected reply."""
    reader, writer = await asyncio.open_connection(target.host, target.port)
    try:
        await _expect(reader, b"220")
        await _ask(reader, writer, b"EHLO [127.0.0.1]", b"250")
        await _ask(reader, writer, b"STARTTLS", b"220")
        await writer.start_tls(context, server_hostname=target.host)
        inner = writer.get_extra_info("ssl_object")._sslobj  # noqa: SLF001  (public from Python 3.13 on)
        chain = [certificate.public_bytes(_DER) for certificate in inner.get_unverified_chain()]
        await _ask(reader, writer, b"EHLO [127.0.0.1]", b"250")
        login = base64.b64encode(f"\0{target.username}\0{target.password}".encode())
        await _ask(reader, writer, b"AUTH PLAIN " + login, b"235")
        writer.write(b"QUIT\r\n")
        return chain
    finally:
        writer.transport.abort()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, code: bytes) -> None:
    writer.write(line + b"\r\n")
    await _expect(reader, code)


async def _expect(reader: asyncio.StreamReader, code: bytes) -> None:
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    if not line.startswith(code):
        raise ValueError(line.decode("utf-8", "replace"))
