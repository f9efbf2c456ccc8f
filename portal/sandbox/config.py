"""What a sandbox is started with: where it keeps its data, its public address and its registered clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any


def utc_now() -> datetime:
    """The clock of a running clinic."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Client:
    """A registered client. Without `jwks`, `jwks_url` or `secret` it is public (authorization code with PKCE only).

    `launch_url` is where the EHR page opens it.
    """

    id: str
    jwks: Mapping[str, Any] | None = None
    jwks_url: str | None = None
    secret: str | None = None
    redirect_uris: tuple[str, ...] = ()
    launch_url: str | None = None
    scopes: tuple[str, ...] = ("system/*.cruds", "patient/*.cruds", "user/*.cruds")

    @property
    def public(self) -> bool:
        return self.jwks is None and self.jwks_url is None and self.secret is None


@dataclass(frozen=True)
class SandboxConfig:
    """`public_url` has no path and no trailing slash; the FHIR base is `public_url + "/fhir"`."""

    data: Path
    public_url: str
    clients: tuple[Client, ...] = ()
    token_seconds: int = 300
    seed: bool = True
    today: date | None = None
    fault: str | None = None
    match: bool = True
    """whether it offers `Patient/$match`; many servers do not"""
    clock: Callable[[], datetime] = field(default=utc_now)

    @property
    def base_url(self) -> str:
        return self.public_url + "/fhir"

    @property
    def token_url(self) -> str:
        return self.public_url + "/token"

    @property
    def database(self) -> Path:
        return self.data / "clinic.sqlite3"

    def client(self, client_id: str) -> Client | None:
        return next((client for client in self.clients if client.id == client_id), None)
