"""A few resources that answer searches as a FHIR server would: enough for the population cases."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl


class Server:
    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.resources = resources

    def fetch(self, query: str) -> dict[str, Any] | None:
        """A read (Patient/1) or a search by patient, _id and code."""
        path, _, search = query.lstrip("/").partition("?")
        kind, _, identity = path.partition("/")
        if identity:
            return next((r for r in self.resources if r["resourceType"] == kind and r.get("id") == identity), None)
        wanted = dict(parse_qsl(search))
        found = [r for r in self.resources if r["resourceType"] == kind and self.matches(r, wanted)]
        return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in found]}

    def matches(self, resource: dict[str, Any], wanted: dict[str, str]) -> bool:
        text = json.dumps(resource, default=str)
        if "_id" in wanted and resource.get("id") != wanted["_id"]:
            return False
        if "code" in wanted and not any(f'"{code.split("|")[-1]}"' in text for code in wanted["code"].split(",")):
            return False
        return "patient" not in wanted or wanted["patient"] in text


def bare(value: Any) -> Any:
    """A response without what may differ: notes, texts, and items without an answer."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if not isinstance(value, dict):
        return value
    left_out = {"extension", "text", "questionnaire", "subject", "meta"}
    made = {key: bare(one) for key, one in value.items() if key not in left_out}
    if "item" in made:
        made["item"] = [item for item in made["item"] if item.get("answer") or item.get("item")]
        if not made["item"]:
            del made["item"]
    return made
