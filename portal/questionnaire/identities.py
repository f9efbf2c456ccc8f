"""Names for extracted resources that stay the same when a response is amended: made from what they are, not by chance."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .addresses import name_of
from .answers import Entry
from .extensions import Json

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:previsit:extracted")
SYSTEM = "urn:ietf:rfc:3986"


@dataclass(frozen=True, slots=True)
class Identities:
    """`base` names the response for good: its identifier, its id, or what the caller keeps it under."""

    base: str

    def uuid(self, entry: Entry, what: str) -> str:
        name = f"{self.base}|{entry.item.link_id}|{name_of(entry)}|{what}"
        return str(uuid.uuid5(NAMESPACE, name.encode("utf-8", "backslashreplace").decode()))


def base_of(response: Json, given: str) -> str:
    """What the caller names it, else its identifier, id, or form and subject."""
    if given:
        return given
    identifier = response.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"{identifier.get('system') or ''}|{identifier['value']}"
    subject = response.get("subject")
    about = subject.get("reference") if isinstance(subject, dict) else ""
    return str(response.get("id") or f"{response.get('questionnaire') or ''}|{about or ''}")
