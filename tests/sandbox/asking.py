"""A plain FHIR client for these tests: a path and JSON in, the HTTP response out."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.sandbox_server import Sandbox

FHIR_JSON = {"Content-Type": "application/fhir+json"}


class Asking:
    """Paths are below the base. A body may be a dict or text that is sent as it stands."""

    def __init__(self, sandbox: Sandbox, scope: str = "system/*.cruds", token: str | None = None) -> None:
        self.base = sandbox.base_url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or sandbox.token(scope)}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        url = f"{self.base}/{path}" if path else self.base
        sent = data.encode() if isinstance(data, str) else data
        return self.session.request(method, url, data=sent, headers=FHIR_JSON | named, timeout=10)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self("GET", path, **headers)

    def made(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Create a resource that must be accepted; the resource as stored."""
        answer = self("POST", resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        stored: dict[str, Any] = answer.json()
        return stored

    def ids(self, query: str) -> list[str]:
        """The ids that a search matches, in order."""
        answer = self.get(query)
        assert answer.status_code == 200, answer.text
        return [
            entry["resource"]["id"] for entry in answer.json().get("entry", []) if entry["search"]["mode"] == "match"
        ]


def words(answer: requests.Response) -> str:
    """The first sentence of an OperationOutcome."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome", body
    return str(body["issue"][0]["details"]["text"])


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "name": [{"family": "Doe"}], **more}


def observation(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
        "subject": {"reference": subject},
        **more,
    }
