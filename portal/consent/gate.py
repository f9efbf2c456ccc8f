"""The one gate: may this be read, shown, listed or sent, by this actor, now, and what must be left out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any, Protocol

from portal.actors import PATIENTS, STAFF, Actor, Role, system
from portal.audit import service as audit
from portal.audit.events import Event, Outcome
from portal.clock import now
from portal.consent import codes, filed, redaction, resource
from portal.consent.decision import Decision, Policy, Request, decide
from portal.consent.describing import describe, labels_of, sift
from portal.consent.models import Capacity, ConsentVersion
from portal.consent.provisions import Rules, read
from portal.consent.standing import holding
from portal.db import transaction
from portal.delivery.tools import Passage
from portal.fhir import exact

POLICIES = {"basic-normal": Policy.BASIC_NORMAL, "deny": Policy.DENY}
"""What settings.consent_default may name."""

ACCOUNT_SYSTEM = "urn:previsit:account"
_BASE = "urn:previsit"
_NORMAL = frozenset({f"{codes.CONFIDENTIALITY}|N"})

Json = Mapping[str, Any]


class Waiting(Protocol):
    """What the gate needs of an item that waits to be sent."""

    @property
    def clinic_id(self) -> str: ...
    @property
    def patient_id(self) -> str: ...
    @property
    def payload(self) -> Any: ...


def permits(
    actor: Actor,
    patient_id: str,
    document: Json,
    *,
    policy: Policy,
    purpose: str | None = None,
    questionnaire: Json | None = None,
) -> Decision:
    """May this actor use this FHIR resource of the patient now? With the questionnaire, also which linkIds to leave out.

    `purpose` is a v3-ActReason code, else the one of the actor. The patient's own use of their own data needs nobody's
    permission, but a choice of theirs against it holds. A refusal is audited with its basis.
    """
    asked = _request(actor, patient_id, document, purpose, questionnaire)
    rules = _speaking(actor, patient_id)
    made = _decide(actor, patient_id, asked, rules, _policy(actor, rules, policy))
    if not made.permit:
        _audit_refusal(actor, patient_id, made)
    return made


def would_permit(actor: Actor, patient_id: str, document: Json, *, policy: Policy, purpose: str | None = None) -> bool:
    """The same decision for lists and for telling what a choice does: nobody is refused anything by it, so nothing is audited."""
    rules = _speaking(actor, patient_id)
    asked = _request(actor, patient_id, document, purpose, None)
    return _decide(actor, patient_id, asked, rules, _policy(actor, rules, policy)).permit


def visible(
    actor: Actor, patient_id: str, documents: Iterable[Json], *, policy: Policy, purpose: str | None = None
) -> list[Json]:
    """The resources this actor may use, each without contained ones that they may not. Count and sort only what comes back.

    Where no rule looks at anything but labels, one decision serves all resources with the same labels.
    """
    rules = _speaking(actor, patient_id)
    default = _policy(actor, rules, policy)

    by_labels = all(rule.data is None and rule.dates is None for each in rules for rule in (each.root, *each.nested))
    known: dict[frozenset[str], bool] = {}

    def allowed(document: Json) -> bool:
        labels = labels_of(document)
        if not by_labels or labels not in known:
            asked = _request(actor, patient_id, document, purpose, None)
            known[labels] = _decide(actor, patient_id, asked, rules, default).permit
        return known[labels]

    return sift(documents, allowed)


def redacted(
    actor: Actor, patient_id: str, response: Json, questionnaire: Json, *, policy: Policy, purpose: str | None = None
) -> dict[str, Any] | None:
    """A QuestionnaireResponse as this actor may see it, its items labelled; None when they may not see it at all."""
    made = permits(actor, patient_id, response, policy=policy, purpose=purpose, questionnaire=questionnaire)
    if not made.permit:
        return None
    return redaction.redact(redaction.labelled(response, questionnaire), made.redact, questionnaire)


def shows_results(actor: Actor) -> Decision:
    """Has the patient not refused that this site reads their results for them?"""
    return permits(
        actor, filed.own(actor), {"resourceType": "Observation"}, policy=Policy.ALL_AUTHORIZED, purpose="PATRQT"
    )


def may_send(item: Waiting, policy: Policy) -> Passage:
    """The worker's gate, asked again at each claim: may everything in this delivery still go to the clinic's record?

    Each answer in it carries its labels; one that may no longer go holds back the whole delivery, which then is made again.
    """
    clinic = system(item.clinic_id)
    rules = in_force(item.clinic_id, item.patient_id)
    default = _policy(clinic, rules, policy)
    for entry in exact.loads(item.payload).get("entry", []):
        document = entry.get("resource", {})
        if document.get("resourceType") in {"Consent", "Provenance"}:
            continue
        asked = _request(clinic, item.patient_id, document, codes.TREATMENT.rpartition("|")[2], None)
        asked = replace(asked, resource=replace(asked.resource, parts=redaction.carried(document)))
        made = decide(asked, rules, default)
        if not made.permit or made.redact:
            return Passage(False, "consent")
    return Passage(True)


def in_force(clinic_id: str, patient_id: str) -> list[Rules]:
    """The rules of the version that holds; every older one is inactive. When people who act for the patient disagree, each
    one's newest holds, and a refusal in any of them wins. Choices of another clinic never count here."""
    newest = filed.rows(clinic_id, patient_id, most=1)
    if newest and newest[0].capacity != Capacity.SELF:
        newest = list(holding(filed.rows(clinic_id, patient_id)).versions)
    if not newest:
        return []
    zone = filed.zone(clinic_id)
    return [rule for each in newest for rule in rules_of(each, zone)]


def rules_of(version: ConsentVersion, zone: tzinfo) -> list[Rules]:
    """The rules of one version, whether it holds or not."""
    return [
        read({**made, "id": f"{version.id}-{about}"}, base=_BASE, zone=zone, version=str(version.number))
        for about, made in version.document["consents"].items()
    ]


def _decide(actor: Actor, patient_id: str, asked: Request, rules: list[Rules], policy: Policy) -> Decision:
    """In an emergency that this person has opened for this patient, also what is allowed then; it never takes away."""
    made = decide(asked, rules, policy)
    if actor.emergency != patient_id:
        return made
    group = f"{resource.EMERGENCY_SYSTEM}|{actor.clinic_id}"
    then = decide(
        replace(asked, purpose=codes.BREAK_GLASS, privileged=True, actor=asked.actor | {group}), rules, policy
    )
    if not (made.permit and then.permit):
        return then if then.permit else made
    return replace(then, redact=tuple(key for key in then.redact if key in made.redact))


def _speaking(actor: Actor, patient_id: str) -> list[Rules]:
    """What the patient keeps from the clinic they still see themself: only their word on showing results is to them."""
    rules = in_force(actor.clinic_id, patient_id)
    if actor.role not in PATIENTS:
        return rules
    return [each for each in rules if each.consent_id.endswith(f"-{resource.RESULTS}")]


def _policy(actor: Actor, rules: list[Rules], policy: Policy) -> Policy:
    """The installation's policy is for patients who never chose. After a choice has run out nothing is shared by default."""
    if actor.role in PATIENTS:
        return Policy.ALL_AUTHORIZED
    return Policy.DENY if rules else policy


def _request(actor: Actor, patient_id: str, document: Json, purpose: str | None, questionnaire: Json | None) -> Request:
    described = describe(document, _BASE, _NORMAL)
    if questionnaire is not None:
        described = replace(described, parts=redaction.parts(questionnaire))
    return Request(
        now=now(),
        zone=filed.zone(actor.clinic_id),
        patients=frozenset({f"{resource.PATIENT_SYSTEM}|{patient_id}"}),
        actor=_identities(actor),
        purpose=codes.code(codes.ACT_REASON, purpose or _purpose(actor)),
        resource=described,
        clinician=actor.role in {Role.CLINICIAN, Role.SYSTEM},
    )


def _purpose(actor: Actor) -> str:
    """The front desk and the administrators run the clinic; they do not treat."""
    return "HOPERAT" if actor.role in STAFF - {Role.CLINICIAN} else actor.purpose.value


def _identities(actor: Actor) -> frozenset[str]:
    clinic = f"{resource.CLINIC_SYSTEM}|{actor.clinic_id}"
    own = f"{ACCOUNT_SYSTEM}|{actor.account_id}" if actor.account_id else clinic
    patient = f"{resource.PATIENT_SYSTEM}|{actor.patient_id}" if actor.patient_id else clinic
    return frozenset({clinic, own, patient})


def _audit_refusal(actor: Actor, patient_id: str, made: Decision) -> None:
    basis = [f"{each.consent_id}/{each.version} {each.path} {each.effect}" for each in made.basis]
    with transaction():
        audit.record(
            actor,
            Event.CONSENT_DECIDED,
            subject=f"patients:{patient_id}",
            patient_id=patient_id,
            detail={"basis": basis or [made.policy], "alerts": list(made.alerts)},
            outcome=Outcome.MINOR,
        )
