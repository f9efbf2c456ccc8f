"""Runs the clinic: the command line, and a threaded server that a test can also start and stop.

Werkzeug's threaded server, not gunicorn: one process, about half the memory, and it hands the faults the socket that they
break. A sandbox meets nobody but the portal and a visitor's browser.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.faults import MODES
from portal.sandbox.seeds import people


class QuietHandler(WSGIRequestHandler):
    """HTTP/1.1 with connections kept; addresses are not logged: they may hold what was searched for."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...

    def log_error(self, format: str, *args: object) -> None: ...


def server(config: SandboxConfig, host: str, port: int) -> BaseWSGIServer:
    """A server that listens already; call serve_forever() and shutdown()."""
    return make_server(host, port, create_sandbox(config), threaded=True, request_handler=QuietHandler)


def main(argv: Sequence[str] | None = None) -> int:
    """The synthetic clinic: a FHIR R4 server with SMART and invented patients, on this machine.

    --client-jwks names a file with the public JWKS of the client --client-id, or a URL where the client publishes
    it (read anew for each token, so that keys may rotate); without it nobody gets a token.
    --fault starts the clinic broken; POST /$fault {"mode": "none"} mends it.
    Returns 0 after Ctrl-C, 2 for what cannot be started.
    """
    arguments = _parser().parse_args(argv)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        clients = _clients(arguments)
        _port_is_free(arguments.host, arguments.port)
    except (OSError, ValueError) as wrong:
        print(f"The sandbox clinic cannot start: {wrong}", file=sys.stderr)
        return 2
    url = arguments.public_url or f"http://{arguments.host}:{arguments.port}"
    config = SandboxConfig(
        Path(arguments.data), url.rstrip("/"), clients, fault=arguments.fault, match=not arguments.no_match
    )
    running = server(config, arguments.host, arguments.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"The sandbox clinic: {config.base_url} ({len(people())} invented patients)", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        return 0
    finally:
        running.server_close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("portal sandbox", description=(main.__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--public-url", help="the address clients use, when it is not http://HOST:PORT")
    parser.add_argument("--data", default="instance/sandbox", metavar="DIR", help="where the clinic keeps its database")
    parser.add_argument("--fault", choices=MODES, help="start broken")
    parser.add_argument("--no-match", action="store_true", help="without Patient/$match, as many servers are")
    parser.add_argument("--client-id", default="previsit")
    parser.add_argument("--client-jwks", metavar="FILE|URL", help="the public JWKS of that client")
    parser.add_argument("--redirect-uri", action="append", default=[], help="where its sign-ins may return to")
    parser.add_argument("--launch-url", help="where the EHR page (/ehr) opens that client")
    return parser


def _clients(arguments: argparse.Namespace) -> tuple[Client, ...]:
    if not arguments.client_jwks:
        return ()
    known = Client(arguments.client_id, redirect_uris=tuple(arguments.redirect_uri), launch_url=arguments.launch_url)
    if arguments.client_jwks.startswith(("http://", "https://")):
        return (replace(known, jwks_url=arguments.client_jwks),)
    jwks = json.loads(Path(arguments.client_jwks).read_text())
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise ValueError(f"{arguments.client_jwks} is not a JWKS ({{“keys”: […]}})")
    return (replace(known, jwks=jwks),)


def _port_is_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as wrong:
            raise ValueError(f"port {port} on {host} is in use; stop what uses it or choose another --port") from wrong
