"""`openssl s_server`: a TLS server that can be told which versions and suites it has, the old ones too."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.daemon import Daemon
from tests.lab.debian import OPENSSL
from tests.lab.pki import Issued, pem_of
from tests.lab.ports import HOST, Ports

FLAGS = {"TLSv1": "-tls1", "TLSv1_1": "-tls1_1", "TLSv1_2": "-tls1_2", "TLSv1_3": "-tls1_3"}


class OpenSslServer:
    """Run one server that answers handshakes and says nothing; whatever it is sent stands in its log."""

    def __init__(
        self,
        folder: Path,
        certificates: Sequence[Issued],
        *,
        version: str | None = None,
        ciphers: str = "ALL",
        options: Sequence[str] = (),
    ) -> None:
        """Choose one version or all, and suites for TLS 1.2 and older in OpenSSL's words, at its lowest level."""
        folder.mkdir(parents=True, exist_ok=True)
        self._ports = Ports()
        self.port = self._ports.reserve()
        command = [OPENSSL, "s_server", "-accept", f"{HOST}:{self.port}", "-quiet", "-ign_eof"]
        command += ["-cipher", f"{ciphers}:@SECLEVEL=0", *([FLAGS[version]] if version else []), *options]
        for number, (certificate, prefix) in enumerate(zip(certificates, ("-", "-d"), strict=False)):
            files = certificate.write(folder / f"certificate-{number}")
            command += [f"{prefix}cert", str(files.certificate), f"{prefix}key", str(files.key)]
            issuers = files.chain.with_name("issuers.pem")
            issuers.write_bytes(b"".join(pem_of(issuer) for issuer in certificate.issuers))
            command += [f"{prefix}cert_chain", str(issuers)]
        self.daemon = Daemon("openssl s_server", command, folder / "log")

    def __enter__(self) -> Self:
        self.daemon.start([(HOST, self.port)])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.daemon.stop()
        self._ports.release()
