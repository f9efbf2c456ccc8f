"""A running sandbox clinic for tests: real HTTP on a free port, a registered client with its key, faults on command.

with running_sandbox(tmp_path) as sandbox:
    requests.get(f"{sandbox.base_url}/metadata")
    token = sandbox.token("system/*.cruds")       # or make your own assertion with sandbox.private_key
    sandbox.fault("down")                          # sandbox.fault("none") mends it
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import BaseWSGIServer

from portal.sandbox.assertions import ASSERTION_TYPE
from portal.sandbox.config import Client, SandboxConfig
from portal.sandbox.server import server
from tests.ports import free_port

CLIENT_ID = "portal-under-test"
PUBLIC_CLIENT_ID = "portal-public"
SECRET_CLIENT_ID, SECRET = "portal-secret", "a secret: of/letters & signs"
REDIRECT_URI = "http://127.0.0.1:8000/callback"
LAUNCH_URL = "http://127.0.0.1:8000/launch"


@cache
def client_key() -> ECKey:
    """The registered client's ES384 key, made once for all tests."""
    return ECKey.generate_key("P-384", auto_kid=True)


@dataclass
class Sandbox:
    """`base_url` is the FHIR base; `private_key` a PEM whose public half is registered under `key_id` (ES384)."""

    config: SandboxConfig
    host: str
    port: int
    running: BaseWSGIServer | None = None
    client_id: str = CLIENT_ID

    @property
    def base_url(self) -> str:
        return self.config.base_url

    @property
    def token_url(self) -> str:
        return self.config.token_url

    @property
    def url(self) -> str:
        return self.config.public_url

    @property
    def private_key(self) -> str:
        return client_key().as_pem(private=True).decode()

    @property
    def key_id(self) -> str:
        return str(client_key().kid)

    def start(self) -> None:
        """Start, or start again with the same data and address after stop()."""
        self.running = server(self.config, self.host, self.port)
        threading.Thread(target=self.running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Stop listening: from now on connections are refused."""
        if self.running is not None:
            self.running.shutdown()
            self.running.server_close()
            self.running = None

    def fault(self, mode: str, **more: Any) -> None:
        """Switch a fault on (see portal/sandbox/faults.py) or off with "none"; `times=1` breaks one request only."""
        requests.post(f"{self.url}/$fault", json={"mode": mode, **more}, timeout=5).raise_for_status()

    def requests_seen(self) -> list[dict[str, Any]]:
        """method, path, status and fault of the requests so far, oldest first."""
        seen: list[dict[str, Any]] = requests.get(f"{self.url}/$requests", timeout=5).json()
        return seen

    def assertion(self, **changed: Any) -> str:
        """A client assertion; `changed` replaces claims (None leaves one out)."""
        now = int(time.time())
        claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": self.token_url, "exp": now + 240, "jti": str(uuid.uuid4())}
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        return jwt.encode(
            {"alg": "ES384", "typ": "JWT", "kid": self.key_id}, claims, client_key(), algorithms=["ES384"]
        )

    def token(self, scope: str = "system/*.cruds") -> str:
        """An access token for a scope."""
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        answer = requests.post(self.token_url, data=form, timeout=5)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def session(self, scope: str = "system/*.cruds") -> requests.Session:
        """A requests session that carries a token."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token(scope)}"
        return session


@contextmanager
def running_sandbox(
    data: Path,
    *,
    seed: bool = True,
    today: date | None = None,
    token_seconds: int = 300,
    host: str = "127.0.0.1",
    more: tuple[Client, ...] = (),
) -> Iterator[Sandbox]:
    """A clinic with its people on `data` (a fresh folder gives a fresh clinic), stopped at the end. `more` clients are known too."""
    public = client_key().as_dict(private=False)
    for _ in range(20):
        port = free_port()
        clients = (
            Client(CLIENT_ID, {"keys": [public]}, redirect_uris=(REDIRECT_URI,)),
            Client(PUBLIC_CLIENT_ID, redirect_uris=(REDIRECT_URI,), launch_url=LAUNCH_URL),
            Client(SECRET_CLIENT_ID, secret=SECRET, redirect_uris=(REDIRECT_URI,)),
            *more,
        )
        config = SandboxConfig(
            data / "sandbox", f"http://{host}:{port}", clients, token_seconds=token_seconds, seed=seed, today=today
        )
        sandbox = Sandbox(config, host, port)
        try:
            sandbox.start()
        except (OSError, SystemExit):
            continue
        break
    else:
        raise RuntimeError("no port would open")
    try:
        yield sandbox
    finally:
        sandbox.stop()
