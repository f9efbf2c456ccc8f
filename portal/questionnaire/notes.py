"""Our notes on a draft: that its calculations are done, what is set aside; and what of its head goes on with it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from .extensions import Json
from .origins import OWN

if TYPE_CHECKING:
    from .definition import Form

SETTLED = f"{OWN}settled"
_ASIDE_ID = "previsit-set-aside"


def foreign(listed: object) -> list[Json]:
    """Extensions that are not our notes."""
    found = listed if isinstance(listed, list) else []
    return [e for e in found if isinstance(e, dict) and not str(e.get("url")).startswith(OWN)]


def head(response: Json | None) -> Json:
    left_out = {"item", "resourceType", "status", "questionnaire", "text"}
    head = {key: value for key, value in (response or {}).items() if key not in left_out}
    if "contained" in head:
        head["contained"] = without_strays(head["contained"])
        if not head["contained"]:
            del head["contained"]
    return head


def fingerprint(form: Form) -> str:
    """A short name for exactly this form, whatever it calls itself."""
    if "fingerprint" not in form.caches:
        text = json.dumps(form.raw, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
        form.caches["fingerprint"] = hashlib.blake2s(text, digest_size=12).hexdigest()
    return str(form.caches["fingerprint"])


def settled(response: Json | None, form: Form) -> bool:
    """Whether this is a draft of ours, whose calculations were done when it was saved."""
    notes = (response or {}).get("extension")
    for note in notes if isinstance(notes, list) else ():
        if isinstance(note, dict) and note.get("url") == SETTLED:
            return bool(note.get("valueString") == fingerprint(form))
    return False


def aside(strays: list[Json]) -> Json:
    return {"resourceType": "QuestionnaireResponse", "id": _ASIDE_ID, "status": "in-progress", "item": strays}


def without_strays(contained: object) -> list[Json]:
    listed = contained if isinstance(contained, list) else []
    return [r for r in listed if isinstance(r, dict) and r.get("id") != _ASIDE_ID]


def strays(response: Json | None) -> list[Json]:
    """What a draft has set aside."""
    contained = (response or {}).get("contained")
    for resource in contained if isinstance(contained, list) else ():
        if isinstance(resource, dict) and resource.get("id") == _ASIDE_ID and isinstance(resource.get("item"), list):
            return [item for item in resource["item"] if isinstance(item, dict)]
    return []
