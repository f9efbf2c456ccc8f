"""Whether a clinic's server takes transactions, asked of it and remembered for an hour."""

from collections.abc import Mapping
from typing import Any

from portal.delivery.client import RecordClient
from portal.delivery.uptime import seconds

REMEMBERED = 3600.0


class Abilities:
    """clinic id, client → takes transactions. Raises what the client raises when the server cannot be asked."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, bool]] = {}

    def __call__(self, clinic_id: str, client: RecordClient) -> bool:
        asked, answer = self._known.get(clinic_id, (-REMEMBERED, False))
        if seconds() - asked >= REMEMBERED:
            answer = takes_transactions(client.capabilities())
            self._known[clinic_id] = (seconds(), answer)
        return answer


def takes_transactions(statement: Mapping[str, Any]) -> bool:
    """Whether a CapabilityStatement declares `transaction`."""
    rest = [part for part in statement.get("rest", []) if part.get("mode") == "server"]
    declared = {one.get("code") for part in rest for one in part.get("interaction", [])}
    return "transaction" in declared
