"""A mail server as the real ones are, in a thread: it takes mail, refuses some, is busy, breaks off, and can do STARTTLS."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.clock import now
from tests.ports import free_port


@dataclass
class MailServer:
    """What it got, and how it answers: `replies` maps a command to the answer it gives instead of its usual one."""

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    got: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    breaks: bool = False
    """breaks off after the mail was taken, before it says so"""


class _Talk(socketserver.StreamRequestHandler):
    server_of: MailServer

    def handle(self) -> None:
        self.server_of.encrypted.append(False)
        self._say("220 here")
        while line := self.rfile.readline():
            command, _, rest = line.decode().strip().partition(" ")
            if not self._answer(command.upper(), rest):
                return

    def _answer(self, command: str, rest: str) -> bool:
        server = self.server_of
        if command in server.replies:
            self._say(server.replies[command])
        elif command == "EHLO":
            offers = [
                "250-here",
                *(["250-STARTTLS"] if server.tls and not server.encrypted[-1] else []),
                "250 AUTH PLAIN",
            ]
            self._say("\r\n".join(offers))
        elif command == "STARTTLS" and server.tls:
            self._say("220 go on")
            self.connection = server.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, server.encrypted[-1] = self.connection.makefile("rb"), True
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
        elif command == "DATA":
            self._say("354 go on")
            return self._take()
        elif command == "QUIT":
            self._say("221 bye")
            return False
        else:
            if command == "AUTH":
                server.logins.append(rest)
            self._say("235 ok" if command == "AUTH" else "250 ok")
        return True

    def _take(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b"..") else line)
        taken = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(taken, EmailMessage)
        if "." in self.server_of.replies:
            self._say(self.server_of.replies["."])
            return True
        self.server_of.got.append(taken)
        if self.server_of.breaks:
            return False
        self._say("250 taken")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
        self.wfile.flush()


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    made = MailServer(free_port(), tls=tls)
    handler = type("Talk", (_Talk,), {"server_of": made})
    with socketserver.ThreadingTCPServer(("127.0.0.1", made.port), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()


def certificate(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own for `host`, and the file that makes it trusted."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, secret = folder / "mail.pem", folder / "mail-key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, secret)
    return context, public
