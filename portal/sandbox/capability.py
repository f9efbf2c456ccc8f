"""GET /metadata: what this clinic's server can do, drawn from the same tables that do it."""

from __future__ import annotations

from typing import Any

from portal.sandbox.config import SandboxConfig
from portal.sandbox.parameters import TYPES, parameters

STARTED = "2026-11-21"
INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "create", "search-type")
URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def statement(config: SandboxConfig) -> dict[str, Any]:
    """A CapabilityStatement of kind instance."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": STARTED,
        "publisher": "Previsit sandbox (synthetic data only)",
        "kind": "instance",
        "software": {"name": "Previsit sandbox clinic", "version": "1"},
        "implementation": {"description": "A synthetic clinic; every person is invented.", "url": config.base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(config),
                "resource": [_resource(name, config) for name in TYPES],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _security(config: SandboxConfig) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/restful-security-service"
    uris = [
        {"url": "authorize", "valueUri": config.public_url + "/authorize"},
        {"url": "token", "valueUri": config.token_url},
    ]
    return {
        "extension": [{"url": URIS, "extension": uris}],
        "service": [{"coding": [{"system": system, "code": "SMART-on-FHIR"}]}],
    }


def _resource(name: str, config: SandboxConfig) -> dict[str, Any]:
    known = parameters(name).values()
    references = [f"{name}:{one.name}" for one in known if one.kind == "reference" and one.name != "_profile"]
    made: dict[str, Any] = {
        "type": name,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "referencePolicy": ["literal", "enforced"],
        "searchParam": [{"name": one.name, "type": "uri" if one.name == "url" else one.kind} for one in known],
        "operation": [
            {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"},
        ],
    }
    if references:
        made["searchInclude"] = references
        made["searchRevInclude"] = ["Provenance:target"]
    if name == "Patient" and config.match:
        made["operation"].append(
            {"name": "match", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match"}
        )
    if name == "ValueSet":
        made["operation"].append(
            {"name": "expand", "definition": "http://hl7.org/fhir/OperationDefinition/ValueSet-expand"}
        )
    return made
