"""What a stranger meets at the portal's address is looked at whole: the portal itself behind real TLS, kept well and kept badly."""

from __future__ import annotations

import ssl
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

import portal
from portal import cli, db
from portal.clock import now
from portal.errors import PortalError
from portal.keeping import outside
from portal.keeping.outside import Target
from tests import make
from tests.ports import dead_port, free_port

Wsgi = Callable[[Any, Any], Iterable[bytes]]
FIT = "ECDHE+AESGCM:ECDHE+CHACHA20"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The portal as an installation with a certificate has it."""
    folder = tmp_path_factory.mktemp("outside")
    config = make.settings(
        folder, f"sqlite:///{folder / 'x.db'}", base_url="https://127.0.0.1", trusted_hosts=("127.0.0.1",)
    )
    made = portal.create_app(config)
    db.migrate()
    make.clinic(forms=())
    yield made
    db.dispose()


def certificate(folder: Path, days: int = 90, host: str = "127.0.0.1", *, short: bool = False) -> Path:
    """A file of key and certificate that is its own authority."""
    key = rsa.generate_private_key(65537, 1024) if short else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=99))
        .not_valid_after(now() + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "both.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*form))
    return path


def tls(both: Path, lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2, ciphers: str = FIT) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    context.load_cert_chain(both)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = lowest
    return context


@contextmanager
def served(app: Wsgi, context: ssl.SSLContext | None) -> Iterator[int]:
    port = free_port()
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=context)
    server.log = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def bad(
    app: Wsgi, both: Path, context: ssl.SSLContext | None = None, *, plain: int = 0, trusted: bool = True
) -> set[str]:
    """What is found bad of this application behind this TLS."""
    with served(app, context or tls(both)) as port:
        target = Target("127.0.0.1", port, plain or dead_port(), str(both) if trusted else None)
        return {each.what for each in outside.looked(target) if not each.good}


def test_an_installation_that_is_kept_well_is_all_good(
    app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = certificate(tmp_path)
    with served(app, tls(both)) as port:
        words = ["check-outside", f"https://127.0.0.1:{port}", "--ca", str(both), "--plain-port", str(dead_port())]
        assert cli.main(words) == 0
    told = capsys.readouterr().out
    assert "all good" in told and "TLS 1.2 and TLS 1.3 spoken" in told and "1, bound to this host" in told


@pytest.mark.parametrize(
    ("lowest", "ciphers", "found"),
    [
        (ssl.TLSVersion.TLSv1, "ALL", {"old TLS", "cipher suites"}),
        (ssl.TLSVersion.TLSv1_1, "ALL", {"old TLS", "cipher suites"}),
        (ssl.TLSVersion.TLSv1_2, f"{FIT}:ECDHE-ECDSA-AES128-SHA", {"cipher suites"}),
        (ssl.TLSVersion.TLSv1_2, f"{FIT}:ECDHE-ECDSA-AES256-CCM8", {"cipher suites"}),
        (ssl.TLSVersion.TLSv1_3, FIT, set()),
    ],
)
def test_tls_that_is_too_old_or_too_weak_is_found(
    app: Flask, tmp_path: Path, lowest: ssl.TLSVersion, ciphers: str, found: set[str]
) -> None:
    both = certificate(tmp_path)
    assert bad(app, both, tls(both, lowest, ciphers)) == found


def test_tls_that_is_not_the_newest_is_found(app: Flask, tmp_path: Path) -> None:
    context = tls(both := certificate(tmp_path))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert bad(app, both, context) == {"TLS"}


@pytest.mark.parametrize(
    ("certificate_of", "trusted", "found"),
    [
        ({}, False, {"certificate"}),
        ({"days": -1}, True, {"certificate", "certificate's time"}),
        ({"days": 5}, True, {"certificate's time"}),
        ({"host": "127.0.0.2"}, True, {"certificate"}),
    ],
)
def test_a_certificate_that_browsers_would_not_take_is_found(
    app: Flask, tmp_path: Path, certificate_of: dict[str, Any], trusted: bool, found: set[str]
) -> None:
    assert bad(app, certificate(tmp_path, **certificate_of), trusted=trusted) == found


def test_a_key_that_is_too_short_is_found(app: Flask, tmp_path: Path) -> None:
    assert "certificate's key" in bad(app, certificate(tmp_path, short=True))


def without(header: str) -> Callable[[Wsgi], Wsgi]:
    return lambda app: _changed(app, lambda name, value: [] if name.lower() == header else [(name, value)])


def _changed(app: Wsgi, change: Callable[[str, str], list[tuple[str, str]]]) -> Wsgi:
    def proxy(environ: Any, start: Any) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start(status, [made for name, value in headers for made in change(name, value)], *rest)

        return app(environ, begin)

    return proxy


def _twice(name: str, value: str) -> list[tuple[str, str]]:
    return [(name, value), (name, "max-age=0")] if name.lower().startswith("strict") else [(name, value)]


def _renamed(name: str, value: str) -> list[tuple[str, str]]:
    return [
        (name, value.replace("__Host-", "").replace(" Secure;", "")) if name.lower() == "set-cookie" else (name, value)
    ]


def _any_name(app: Wsgi) -> Wsgi:
    """A proxy that passes whatever name was asked for as the one that is expected."""

    def proxy(environ: Any, start: Any) -> Iterable[bytes]:
        return app({**environ, "HTTP_HOST": "127.0.0.1"}, start)

    return proxy


def _believing(_app: Wsgi) -> Wsgi:
    """Another application, which writes the name that somebody claims into its page."""

    @Request.application
    def page(request: Request) -> Response:
        return Response(f'<a href="{request.host_url}">', headers={"Content-Security-Policy": "default-src 'none'"})

    return ProxyFix(page, x_host=1)


@pytest.mark.parametrize(
    ("proxy", "found"),
    [
        (without("strict-transport-security"), {"HSTS"}),
        (without("content-security-policy"), {"content security policy"}),
        (without("cache-control"), {"other headers"}),
        (lambda app: _changed(app, _twice), {"HSTS"}),
        (lambda app: _changed(app, _renamed), {"cookies"}),
        (_any_name, {"another name"}),
        (_believing, {"HSTS", "other headers", "another name", "claimed names"}),
    ],
)
def test_a_proxy_that_loses_or_changes_something_on_the_way_is_found(
    app: Flask, tmp_path: Path, proxy: Callable[[Wsgi], Wsgi], found: set[str]
) -> None:
    assert bad(proxy(app), certificate(tmp_path)) == found


@pytest.mark.parametrize(
    ("status", "there", "found"),
    [
        (301, "https://127.0.0.1/sign-in", set()),
        (200, None, {"without TLS"}),
        (302, "https://127.0.0.1/", {"without TLS"}),
        (301, "http://127.0.0.1/", {"without TLS"}),
        (301, "https://elsewhere.example/", {"without TLS"}),
    ],
)
def test_who_comes_without_tls_is_only_sent_to_https(
    app: Flask, tmp_path: Path, status: int, there: str | None, found: set[str]
) -> None:
    with served(Response("", status, {"Location": there} if there else {}), None) as plain:
        assert bad(app, certificate(tmp_path), plain=plain) == found


def test_nobody_there_and_no_address_are_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PortalError, match="Nobody answers"):
        list(outside.looked(Target("127.0.0.1", dead_port())))
    monkeypatch.delenv("PREVISIT_BASE_URL", raising=False)
    assert cli.main(["check-outside"]) == 1
    assert cli.main(["check-outside", "http://intake.example.org"]) == 1
