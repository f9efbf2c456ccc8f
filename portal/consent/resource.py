"""A patient's choices as FHIR R4 Consents in the shape of IHE PCF: one for care, one for research, one for showing results. Pure."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from portal.consent import codes
from portal.consent.choices import Sheet

IDENTIFIER_SYSTEM = "urn:previsit:consent"
CLINIC_SYSTEM = "urn:previsit:clinic"
EMERGENCY_SYSTEM = "urn:previsit:emergency"
"""the clinicians of a clinic while they have an emergency open (PCF's break-glass group)"""
PATIENT_SYSTEM = "urn:previsit:patient"
CARE, KEPT_BACK, RESEARCH, RESULTS = "care", "kept-back", "research", "results"

SENSITIVE = ("PSY", "ETH", "SDV", "SEX", "HIV")
"""What "how you feel, alcohol, drugs and safety at home" means in v3-ActCode; ETH covers ETHUD and OPIOIDUD."""

_PROFILE = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF.consent"
AFTER_VISIT = timedelta(days=30)


@dataclass(frozen=True)
class Ceremony:
    """Who chose what, when, in front of which text. `ends_on` is the last day in the clinic's zone, or None."""

    version_id: str
    patient_id: str
    patient_name: str
    clinic_id: str
    clinic_name: str
    given_at: datetime
    ends_on: date | None
    choices: Mapping[str, str]
    sheet: Sheet
    fhir_id: str | None = None
    performer: dict[str, Any] | None = None
    """who chose, when that was not the patient"""


def last_day(until: str, today: date, visit_on: date | None) -> date | None:
    """The last day that a choice holds: 30 days after the visit, a year from today, or no end."""
    if until == "visit":
        return max(visit_on or today, today) + AFTER_VISIT
    if until == "year":
        return (
            today.replace(year=today.year + 1) if (today.month, today.day) != (2, 29) else date(today.year + 1, 2, 28)
        )
    return None


def consents(ceremony: Ceremony) -> dict[str, dict[str, Any]]:
    """The Consents of one ceremony by what they are about. All active; a later ceremony makes them inactive. The signed
    text is kept once, beside them, and put in by `with_source`.

    What is kept back is a nested rule of the care Consent, so that this one says all to whoever gets it, and a Consent by
    itself, so that it holds on when the period of the sharing is over.
    """
    chosen = ceremony.choices
    made = {
        CARE: _consent(ceremony, CARE, _care(ceremony), "Advanced" if _keeps_back(chosen) else "Basic"),
        RESEARCH: _consent(ceremony, RESEARCH, _rule(ceremony, chosen["research"], ("HRESCH",)), "Intermediate"),
        RESULTS: _consent(ceremony, RESULTS, _rule(ceremony, chosen["results"], ("PATRQT",)), "Intermediate"),
    }
    if _keeps_back(chosen):
        made[KEPT_BACK] = _consent(ceremony, KEPT_BACK, _kept_back(ceremony), "Advanced")
    return made


def _keeps_back(chosen: Mapping[str, str]) -> bool:
    return chosen["share"] == "yes" and chosen["sensitive"] != "yes"


def _care(ceremony: Ceremony) -> dict[str, Any]:
    made = _rule(ceremony, ceremony.choices["share"], ("TREAT", "HPAYMT", "HOPERAT"))
    nested = [_kept_back(ceremony)] if _keeps_back(ceremony.choices) else []
    if "emergency" in (ceremony.choices["share"], ceremony.choices["sensitive"]):
        nested.append(_in_an_emergency(ceremony))
    return made | ({"provision": nested} if nested else {})


def _kept_back(ceremony: Ceremony) -> dict[str, Any]:
    """From everybody for everything; but for an emergency where the patient allows that."""
    made: dict[str, Any] = {"type": "deny"}
    if ceremony.choices["sensitive"] == "emergency":
        made["purpose"] = [{"system": codes.ACT_REASON, "code": purpose} for purpose in codes.PURPOSES_BUT_BREAK_GLASS]
    return made | {"securityLabel": [{"system": codes.ACT_CODE, "code": code} for code in SENSITIVE]}


def _in_an_emergency(ceremony: Ceremony) -> dict[str, Any]:
    role = {"coding": [{"system": codes.PARTICIPATION, "code": "IRCP", "display": "information recipient"}]}
    identifier = {"system": EMERGENCY_SYSTEM, "value": ceremony.clinic_id}
    group = {"type": "Group", "identifier": identifier, "display": "Clinicians in an emergency"}
    return {
        "type": "permit",
        "actor": [{"role": role, "reference": group}],
        "purpose": [{"system": codes.ACT_REASON, "code": "BTG"}],
    }


def _rule(ceremony: Ceremony, answer: str, purposes: tuple[str, ...]) -> dict[str, Any]:
    """A permit is for this clinic and its period; a refusal is for everybody and holds until it is taken back."""
    made: dict[str, Any] = {"type": "permit" if answer == "yes" else "deny"}
    if answer == "yes":
        if ceremony.ends_on:
            made["period"] = {"end": ceremony.ends_on.isoformat()}
        role = {"coding": [{"system": codes.PARTICIPATION, "code": "IRCP", "display": "information recipient"}]}
        made["actor"] = [{"role": role, "reference": _clinic(ceremony)}]
    made["purpose"] = [{"system": codes.ACT_REASON, "code": purpose} for purpose in purposes]
    return made


def _consent(ceremony: Ceremony, about: str, provision: dict[str, Any], level: str) -> dict[str, Any]:
    patient = _patient(ceremony)
    return {
        "resourceType": "Consent",
        "meta": {"profile": [f"{_PROFILE}{level}"]},
        "identifier": [{"system": IDENTIFIER_SYSTEM, "value": f"{ceremony.version_id}-{about}"}],
        "status": "active",
        "scope": {"coding": [{"system": codes.SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": patient,
        "dateTime": ceremony.given_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "performer": [ceremony.performer or patient],
        "organization": [_clinic(ceremony)],
        "policy": [{"uri": policy_uri(ceremony.sheet)}],
        "provision": provision,
    }


def policy_uri(sheet: Sheet) -> str:
    """Names the exact text: edition, language and SHA-256."""
    return f"urn:previsit:consent-text:{sheet.edition}:{sheet.language}:sha256:{sheet.sha256}"


def _patient(ceremony: Ceremony) -> dict[str, Any]:
    ours = {"identifier": {"system": PATIENT_SYSTEM, "value": ceremony.patient_id}, "display": ceremony.patient_name}
    return {"reference": f"Patient/{ceremony.fhir_id}", **ours} if ceremony.fhir_id else {"type": "Patient", **ours}


def _clinic(ceremony: Ceremony) -> dict[str, Any]:
    identifier = {"system": CLINIC_SYSTEM, "value": ceremony.clinic_id}
    return {"type": "Organization", "identifier": identifier, "display": ceremony.clinic_name}


def with_source(consent: Mapping[str, Any], signed: str, language: str, title: str) -> dict[str, Any]:
    """The Consent with the text as shown and what was chosen in it (FHIR's Attachment.hash is SHA-1)."""
    content = signed.encode()
    attachment = {
        "contentType": "text/plain; charset=utf-8",
        "language": language,
        "data": base64.b64encode(content).decode(),
        "hash": base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode(),
        "title": title,
        "creation": consent["dateTime"],
    }
    whole = {**consent, "sourceAttachment": attachment}
    order = [name for name in whole if name not in ("policy", "provision")] + ["policy", "provision"]
    return {name: whole[name] for name in order}


def signed_text(sheet: Sheet, choices: Mapping[str, str]) -> str:
    """The text as it was shown, with a mark at what was chosen: the copy a patient keeps."""
    text = sheet.text
    for question in sheet.questions:
        chosen = choices.get(question.key, "")
        line = f"{question.label(chosen)} {question.means(chosen)}"
        head, found, tail = text.partition(question.title)
        text = head + found + tail.replace(f"( ) {line}", f"(x) {line}", 1) if chosen else text
    return text
