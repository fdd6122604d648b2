"""Free TCP ports on loopback, each held for one owner while parallel test processes look for theirs.

A daemon cannot be handed a listening socket, so between choosing a port and the daemon's own bind() anybody could take
it. Two measures: ports are chosen below the ephemeral range, where no outgoing connection lands by chance; and whoever
chose one holds an abstract unix socket named after it, which the kernel frees when the owner dies, however it dies.
"""

import random
import socket
from collections.abc import Iterable

HOST = "127.0.0.1"
RANGE = range(20000, 32000)  # Linux hands out 32768 and up by itself


class Ports:
    """Hold a set of reserved ports until `release`."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._claims: list[socket.socket] = []

    def reserve(self, preferred: int | None = None) -> int:
        """Return a port that nobody listens on and no other `Ports` holds; `preferred` itself where it is free."""
        for port in self._candidates(preferred):
            claim = _claim(port)
            if claim is not None:
                self._claims.append(claim)
                return port
        raise RuntimeError("no free port on loopback")

    def release(self) -> None:
        """Give every port back."""
        while self._claims:
            self._claims.pop().close()

    @staticmethod
    def _candidates(preferred: int | None) -> Iterable[int]:
        if preferred is not None:
            yield preferred
        yield from random.sample(RANGE, 500)


def _claim(port: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(f"\0postern-lab-port-{port}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the daemons do: connections of an earlier run that linger in TIME_WAIT are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    except OSError:
        claim.close()
        return None
    return claim
