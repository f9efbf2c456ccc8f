"""Builders of consents and requests in the shape of IHE PCF."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.consent import codes
from portal.consent.decision import Policy, Request, Resource, decide
from portal.consent.provisions import read

BASE = "https://ehr.example.org/fhir"
ZONE = ZoneInfo("America/New_York")
NOW = datetime(2022, 7, 1, 16, 0, tzinfo=UTC)
TPO = ("TREAT", "HPAYMT", "HOPERAT")
PATIENT = f"{BASE}/Patient/ex-patient"
DR_X = f"{BASE}/Practitioner/ex-practitioner"
AUTHOR = f"{BASE}/Practitioner/ex-author"
PRIVILEGED = f"{BASE}/Group/ex-privilegedUsers"
RESEARCHER = f"{BASE}/Organization/ex-org-researcher"


def reason(code):
    return {"system": codes.ACT_REASON, "code": code}


def label(code):
    """`{system, code}` of a confidentiality level or a sensitivity."""
    return {"system": codes.CONFIDENTIALITY if code in codes.LEVELS else codes.ACT_CODE, "code": code}


def recipient(reference):
    found = {"reference": reference} if isinstance(reference, str) else reference
    return {"role": {"coding": [{"system": codes.PARTICIPATION, "code": "IRCP"}]}, "reference": found}


def consent(provision=None, **changes):
    made = {
        "resourceType": "Consent",
        "id": "c1",
        "status": "active",
        "scope": {"coding": [{"system": codes.SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/ex-patient"},
        "dateTime": "2022-06-13",
        "performer": [{"reference": "Patient/ex-patient"}],
        "organization": [{"reference": "Organization/ex-organization"}],
        "policy": [{"uri": Policy.BASIC_NORMAL}],
    }
    made["provision"] = provision if provision is not None else permit()
    return {name: held for name, held in {**made, **changes}.items() if held is not None}


def permit(*nested, purposes=TPO, **elements):
    return _provision("permit", nested, purposes, elements)


def deny(*nested, purposes=TPO, **elements):
    return _provision("deny", nested, purposes, elements)


def _provision(kind, nested, purposes, elements):
    made = {"type": kind, **elements}
    if purposes:
        made["purpose"] = [reason(purpose) for purpose in purposes]
    if nested:
        made["provision"] = list(nested)
    return made


def inner(kind, **elements):
    return {"type": kind, **elements}


def labels(*names):
    return frozenset(codes.code(label(name)["system"], name) for name in names)


def resource(*names, own="Observation/o1", **changes):
    given = {
        "type": own.partition("/")[0],
        "identities": frozenset({f"{BASE}/{own}"}),
        "authors": frozenset({AUTHOR}),
        "dates": ("2022-06-13",),
        "labels": labels(*(names or ("N",))),
    }
    return Resource(**{**given, **changes})


def ask(purpose="TREAT", actor=(f"{BASE}/Practitioner/someone",), of=None, **changes):
    given = {
        "now": NOW,
        "zone": ZONE,
        "patients": frozenset({PATIENT}),
        "actor": frozenset(actor),
        "purpose": purpose if "|" in purpose else codes.code(codes.ACT_REASON, purpose),
        "resource": of or resource(),
        "clinician": True,
    }
    return Request(**{**given, **changes})


def decision(consents, request, policy=Policy.DENY, base=BASE, **changes):
    listed = consents if isinstance(consents, list) else [consents]
    return decide(request, [read(each, base=base, zone=ZONE) for each in listed], policy, **changes)


def permits(consents, request, policy=Policy.DENY, base=BASE):
    """The decision, and the same under every policy where a consent decided: a policy must not change a patient's word."""
    made = decision(consents, request, policy, base)
    if made.basis:
        for other in Policy:
            assert decision(consents, request, other, base).permit == made.permit
    return made.permit


def corpus(*parts):
    root = os.environ.get("PORTAL_CORPUS")
    if not root or not Path(root, *parts).exists():
        pytest.skip("PORTAL_CORPUS does not name a folder with the public examples")
    return Path(root, *parts)


def pcf(name):
    return json.loads(corpus("ihe-pcf", "fsh", f"Consent-ex-{name}.json").read_text())
