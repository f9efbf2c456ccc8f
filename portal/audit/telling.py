"""An audit row as a FHIR R4 AuditEvent after the patterns of IHE Basic Audit Log Patterns (BALP): who and what by our ids, no names."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.actors import Role
from portal.audit.events import Event, Outcome
from portal.audit.meanings import BALP, DCM, DECIDED, DELETE, DISCLOSED, MEANS, QUERY, READ, Meaning
from portal.audit.models import AuditRow
from portal.sealing import SealBroken

Json = dict[str, Any]
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CHAIN = "urn:previsit:audit-chain"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
OUTCOMES = {Outcome.OK: "Success", Outcome.MINOR: "Minor failure", Outcome.SERIOUS: "Serious failure"}
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
RESOURCES = "http://hl7.org/fhir/resource-types"
REQUEST_ID = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
SECURITY_ROLE = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
KINDS = {
    "patients": "Patient",
    "visits": "Appointment",
    "drafts": "QuestionnaireResponse",
    "submissions": "QuestionnaireResponse",
    "consent_versions": "Consent",
    "form_versions": "Questionnaire",
    "library_terms": "ValueSet",
    "outbox_items": "Bundle",
    "connections": "Endpoint",
    "accounts": "Person",
    "clinics": "Organization",
    "conversations": "Communication",
}
"""What a table's rows are in FHIR, where they are anything."""
SOURCE, DESTINATION = (DCM, "110153", "Source Role ID"), (DCM, "110152", "Destination Role ID")
APPLICATION = (DCM, "110150", "Application")
CUSTODIAN = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian")
AUTHORIZER = (SECURITY_ROLE, "authserver", "authorization server")
PROVIDER = ("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider")
RECIPIENT, AUTHOR = (PARTICIPATION, "IRCP", "information recipient"), (PARTICIPATION, "AUT", "author (originator)")
INFORMANT = (PARTICIPATION, "INF", "informant")


@dataclass(frozen=True)
class Site:
    """This portal, as it names itself in events: its public address."""

    base_url: str

    @property
    def device(self) -> Json:
        return {"type": "Device", "identifier": {"system": "urn:ietf:rfc:3986", "value": self.base_url}}


def event(row: AuditRow, site: Site) -> Json:
    """The AuditEvent of one row. A row whose sealed detail can no longer be opened (its person was erased) tells the same."""
    kind, outcome = Event(row.event), Outcome(row.outcome)
    meaning, detail = MEANS[kind], _detail(row)
    consents = _consents(detail) if meaning is DECIDED else []
    told: Json = {
        "resourceType": "AuditEvent",
        "id": row.id,
        "meta": {"profile": [_profile(meaning, row)]} if _follows(meaning, row, outcome, consents) else None,
        "contained": [_failure(detail)] if outcome is not Outcome.OK else None,
        "extension": [{"url": CHAIN, "extension": [_part("seq", row.seq), _part("hash", row.hash)]}],
        "type": _coding(meaning.type),
        "subtype": [_coding(each) for each in (*meaning.subtypes, ("urn:previsit:event", row.event, row.event))],
        "action": meaning.action,
        "recorded": row.recorded_at.isoformat(timespec="milliseconds"),
        "outcome": outcome.value,
        "outcomeDesc": None if outcome is Outcome.OK else OUTCOMES[outcome],
        "purposeOfEvent": [_concept((REASON, row.purpose, row.purpose))],
        "agent": _agents(row, meaning, site),
        "source": {
            "site": row.clinic_id,
            "observer": site.device,
            "type": [
                _coding(("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server"))
            ],
        },
        "entity": _entities(row, meaning, outcome, consents),
    }
    if meaning is DECIDED:  # BALP takes exactly one subtype and no other entity there
        told["subtype"] = told["subtype"][:1]
    return {name: value for name, value in told.items() if value is not None}


def _detail(row: AuditRow) -> Mapping[str, Any]:
    try:
        opened: Mapping[str, Any] = row.detail
    except SealBroken:
        return {}
    return opened


def _follows(meaning: Meaning, row: AuditRow, outcome: Outcome, consents: list[str]) -> bool:
    """BALP's patterns fix success; only a consent decision may also be a refusal, and it needs a Consent to name."""
    if meaning is DECIDED:
        return bool(consents and row.patient_id and row.account_id)
    return meaning.profile is not None and outcome is Outcome.OK and (meaning is not DISCLOSED or bool(row.patient_id))


def _profile(meaning: Meaning, row: AuditRow) -> str:
    general = meaning is DISCLOSED or meaning is DECIDED or row.patient_id is None
    return f"{BALP}{'' if general else 'Patient'}{meaning.profile}"


# -- agents ----------------------------------------------------------------------------------------------------------


def _agents(row: AuditRow, meaning: Meaning, site: Site) -> list[Json]:
    person = _user(row, meaning)
    if meaning is DECIDED:
        clinic = {"type": "Organization", "identifier": _identifier("clinics", row.clinic_id)}
        others = [
            _machine(APPLICATION, site.device),
            {"type": _concept(PROVIDER), "who": clinic, "requestor": False},
            {"type": _concept(AUTHORIZER), "who": site.device, "requestor": False},
        ]
    elif meaning is DELETE:
        others = [_machine(APPLICATION, site.device), _machine(CUSTODIAN, site.device)]
    elif meaning is DISCLOSED:
        others = [_machine(SOURCE, site.device), _machine(DESTINATION, _recipient(row))]
    else:
        client, server = (DESTINATION, SOURCE) if meaning is READ else (SOURCE, DESTINATION)
        others = [_machine(client, site.device), _machine(server, site.device)]
    if person is None:
        others[0]["requestor"] = True
    return [*others, *([person] if person else [])]


def _user(row: AuditRow, meaning: Meaning) -> Json | None:
    """The person, by the id of their account; None when the portal acted by itself."""
    if row.account_id is None:
        return None
    writer = INFORMANT if row.role == Role.PROXY else AUTHOR
    return {
        "type": _concept(writer if meaning.action in "CUD" else RECIPIENT),
        "role": [_concept(("urn:previsit:role", row.role, row.role))],
        "who": {"type": "Person", "identifier": _identifier("accounts", row.account_id)},
        "requestor": True,
        "purposeOfUse": [_concept((REASON, row.purpose, row.purpose))],
    }


def _recipient(row: AuditRow) -> Json:
    """Where a disclosure went: to the patient or who acts for them, who asked for it, or to the clinic's own record system."""
    if row.role == Role.PROXY and row.account_id:
        return {"type": "Person", "identifier": _identifier("accounts", row.account_id)}
    if row.role == Role.PATIENT and row.patient_id:
        return {"type": "Patient", "identifier": _identifier("patients", row.patient_id)}
    return {"type": "Organization", "identifier": _identifier("clinics", row.clinic_id)}


def _machine(kind: tuple[str, str, str], who: Json) -> Json:
    """A system's part. BALP wants the network it came from; the portal does not keep addresses, and says so."""
    masked = {"extension": [{"url": ABSENT, "valueCode": "masked"}]}
    known = who.get("type") == "Device"
    address: Json = {"address": who["identifier"]["value"], "type": "5"} if known else {"_address": masked}
    return {"type": _concept(kind), "who": who, "requestor": False, "network": address}


# -- entities --------------------------------------------------------------------------------------------------------


def _entities(row: AuditRow, meaning: Meaning, outcome: Outcome, consents: list[str]) -> list[Json]:
    found: list[Json] = []
    if meaning is DECIDED and consents:
        found += [
            {"type": _coding((RESOURCES, "Consent", "Consent")), "what": _what("consent_versions", each)}
            for each in consents
        ]
    elif meaning is QUERY:
        asked = b64encode(row.subject.encode()).decode()
        found.append({"type": _object(), "role": _role("24", "Query"), "query": asked})
    else:
        table, _, own = row.subject.partition(":")
        found.append({"type": _object(), "role": _role("4", "Domain Resource"), "what": _what(table, own)})
    if row.patient_id:
        person = {"type": _coding((ENTITY, "1", "Person")), "role": _role("1", "Patient")}
        found.append({**person, "what": _what("patients", row.patient_id)})
    if meaning is DECIDED and consents:
        return found
    if row.request_id and meaning is not DELETE:
        request = {"identifier": {"value": row.request_id}}
        found.append({"type": _coding((REQUEST_ID, "XrequestId", "X-Request-Id")), "what": request})
    if outcome is not Outcome.OK:
        kind = _coding((RESOURCES, "OperationOutcome", "OperationOutcome"))
        found.append({"type": kind, "what": {"reference": "#outcome"}})
    return found


def _failure(detail: Mapping[str, Any]) -> Json:
    """Why it failed, as a code only; never what somebody typed."""
    why = detail.get("why")
    said = {"details": {"text": str(why)[:80]}} if isinstance(why, str) and why.isascii() else {}
    return {
        "resourceType": "OperationOutcome",
        "id": "outcome",
        "issue": [{"severity": "error", "code": "forbidden", **said}],
    }


def _consents(detail: Mapping[str, Any]) -> list[str]:
    """The versions a decision rests on: "id/version path effect" each."""
    bases = [str(each).split(" ", 1)[0] for each in detail.get("basis", ())]
    return sorted({each for each in bases if "/" in each and ":" not in each})


def _what(table: str, own: str) -> Json:
    kind = {"type": KINDS[table]} if table in KINDS else {}
    return {**kind, "identifier": _identifier(table, own)}


def _identifier(table: str, own: str) -> Json:
    return {"system": f"urn:previsit:{table.replace('_', '-')}", "value": own or "all"}


def _object() -> Json:
    return _coding((ENTITY, "2", "System Object"))


def _role(code: str, display: str) -> Json:
    return _coding((OBJECT_ROLE, code, display))


def _part(name: str, value: int | str) -> Json:
    return {"url": name, "valueInteger" if isinstance(value, int) else "valueString": value}


def _coding(code: tuple[str, str, str]) -> Json:
    return {"system": code[0], "code": code[1], "display": code[2]}


def _concept(code: tuple[str, str, str]) -> Json:
    return {"coding": [_coding(code)]}
