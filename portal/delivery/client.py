"""The arrow to the clinic's server, as delivery needs it (portal.ehr's FhirClient is one); the worker passes it in."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from portal.delivery.classify import Answer


class Seen(Protocol):
    """What a search found; `complete` is False when there is more than was read."""

    @property
    def matches(self) -> list[dict[str, Any]]: ...
    @property
    def complete(self) -> bool: ...


class RecordClient(Protocol):
    """One clinic's server. Reads raise portal.ehr.errors; a write's answer comes back raw and is never repeated blindly."""

    @property
    def base(self) -> str:
        """The server's address, without a slash at its end."""

    def transaction(self, body: bytes) -> Answer:
        """POST a Bundle to the base, exactly these bytes; takes at most `Timing.send` seconds."""

    def write(self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """One POST or PUT below the base, under the same rules: for servers without transactions."""

    def search(self, kind: str, params: Iterable[tuple[str, str]], *, uncached: bool = True) -> Seen:
        """All pages of a search, as raw JSON."""

    def read(self, kind: str, name: str, *, uncached: bool = True) -> dict[str, Any]:
        """One resource by id."""

    def get(self, path: str) -> Answer:
        """The raw answer to a GET; raises only for want of a token."""

    def capabilities(self) -> dict[str, Any]:
        """The CapabilityStatement, asked of the server now."""


Clients = Callable[[str], RecordClient]
"""clinic id → its client"""
