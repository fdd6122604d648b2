"""A second look at a port that says nothing in clear text: does it speak TLS? No credential comes near it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

from steng.probe.egress import Address
from steng.probe.lookalike import looks_like


async def speaks_tls(address: Address, port: int, host: str, seconds: float) -> bool:
    """Tell whether a ClientHello is answered by a TLS record within `seconds`; closed before the handshake is done."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_connect(sock, (str(address), port))
                await loop.sock_sendall(sock, _client_hello(host))
                return looks_like(await loop.sock_recv(sock, 16)) == "TLS"
        except OSError:
            return False


def _client_hello(host: str) -> bytes:
    # The handshake never goes on, so nothing is trusted here: the context only writes the first message.
    outgoing = ssl.MemoryBIO()
    wrapped = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=host)
    with contextlib.suppress(ssl.SSLWantReadError):
        wrapped.do_handshake()
    return outgoing.read()
