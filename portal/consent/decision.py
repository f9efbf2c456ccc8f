"""May this person use this piece of a patient's data for this purpose? Pure, total, and a refusal always wins.

The order of a decision (IHE PCF over FHIR R4 Consent):
1. Only Consents of this patient (or of one this patient replaced), active, of scope patient-privacy.
   One that is not understood counts as a refusal and raises an alert.
2. One whose root period does not hold now is not in force; then the policy decides.
3. A rule matches when every element it names matches; within an element any one entry is enough.
4. A matching nested deny refuses; else a matching nested permit permits; else the root decides if it matches.
   A root permit that is in force and does not match is a boundary the patient drew: nothing is permitted by it, and the
   policy for patients who said nothing no longer applies.
5. Across Consents: any deny, else any permit, else any boundary (deny), else the policy of the installation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from enum import IntEnum, StrEnum
from typing import NamedTuple

from portal.consent import codes, periods
from portal.consent.periods import Stretch
from portal.consent.provisions import Provision, Rules


class Policy(StrEnum):
    """What holds when no Consent says anything: the four policies of IHE PCF's Implicit Option."""

    BASIC_NORMAL = "https://profiles.ihe.net/ITI/PCF/Policy-basic-normal"
    ALL_AUTHORIZED = "https://profiles.ihe.net/ITI/PCF/Policy-all-normal"
    BREAK_GLASS_ONLY = "https://profiles.ihe.net/ITI/PCF/Policy-break-glass-only"
    DENY = "https://profiles.ihe.net/ITI/PCF/Policy-deny"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a resource that can be left out by itself (an item of a response), with its own labels."""

    key: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Resource:
    """What is asked for. References are absolute or `system|value`; `dates` are FHIR texts; no label means restricted."""

    type: str
    identities: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    related: frozenset[str] = frozenset()
    dates: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, for whom, why and when. `actor` holds every identity: the person, roles, organizations, groups."""

    now: datetime
    zone: tzinfo
    patients: frozenset[str]
    actor: frozenset[str]
    purpose: str
    resource: Resource
    action: str = "access"
    clinician: bool = False
    privileged: bool = False


class Basis(NamedTuple):
    """One Consent that had a say: which version, which rule of it, and what that rule said."""

    consent_id: str
    version: str
    path: str
    effect: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `redact` are the parts to leave out when permitted; `alerts` are for staff, without health data."""

    permit: bool
    basis: tuple[Basis, ...]
    redact: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    policy: str | None = None


class _Effect(IntEnum):
    SILENT = 0
    BOUNDARY = 1
    PERMIT = 2
    DENY = 3


_WORDS = {_Effect.BOUNDARY: "not-permitted", _Effect.PERMIT: "permit", _Effect.DENY: "deny"}


_SILENT = (_Effect.SILENT, "")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request with everything worked out that every rule asks for."""

    request: Request
    now: datetime
    purposes: frozenset[str]
    data: frozenset[tuple[str, str]]
    span: Stretch | None
    labels: frozenset[str]


def decide(request: Request, consents: Iterable[Rules], policy: Policy, *, trust_unverified: bool = True) -> Decision:
    """The decision for a resource and each of its parts.

    `trust_unverified` is the clinic's policy for a Consent whose verification says false: when it is off such a Consent
    can refuse but not permit. Either way the basis records it.
    """
    theirs = [rules for rules in consents if rules.counts and _speaks_of(rules, request.patients)]
    asked = _asked(request)
    whole = _decide(asked, theirs, policy, trust_unverified)
    if not whole.permit:
        return whole
    hidden = tuple(
        part.key
        for part in request.resource.parts
        if not _decide(replace(asked, labels=part.labels), theirs, policy, trust_unverified).permit
    )
    return replace(whole, redact=hidden)


def _speaks_of(rules: Rules, patients: frozenset[str]) -> bool:
    """Whether it is this patient's, or does not say whose it is (then it is broken, and refuses)."""
    return rules.patients is None or not rules.patients.isdisjoint(patients)


def _asked(request: Request) -> _Asked:
    resource = request.resource
    data = {("instance", each) for each in resource.identities}
    data |= {("related", each) for each in resource.related | resource.identities}
    data |= {("authoredby", each) for each in resource.authors}
    return _Asked(
        request=request,
        now=request.now.astimezone(UTC),
        purposes=codes.purpose_line(request.purpose),
        data=frozenset(data),
        span=periods.span(resource.dates, request.zone),
        labels=resource.labels,
    )


def _decide(asked: _Asked, consents: Iterable[Rules], policy: Policy, trust_unverified: bool) -> Decision:
    said = [(_effect(rules, asked, trust_unverified), rules) for rules in consents]
    strongest = max((effect for (effect, _), _ in said), default=_Effect.SILENT)
    if strongest is _Effect.SILENT:
        return Decision(_default(policy, asked.request), (), policy=str(policy))
    decisive = tuple(_basis(effect, path, rules) for (effect, path), rules in said if effect is strongest)
    return Decision(
        strongest is _Effect.PERMIT, decisive, alerts=tuple(_alert(rules) for _, rules in said if rules.broken)
    )


def _basis(effect: _Effect, path: str, rules: Rules) -> Basis:
    return Basis(rules.consent_id, rules.version, path, _WORDS[effect] + ("" if rules.verified else ", unverified"))


def _alert(rules: Rules) -> str:
    return f"Consent {rules.consent_id or 'without id'} is treated as a refusal: {rules.broken}."


def _effect(rules: Rules, asked: _Asked, trust_unverified: bool) -> tuple[_Effect, str]:
    if rules.broken:
        return _Effect.DENY, "not understood"
    root = rules.root
    if not _holds(root, asked):
        return _SILENT
    permitted = None
    for inner in rules.nested:
        if _holds(inner, asked) and _matches(inner, asked):
            if not inner.permit:
                return _Effect.DENY, inner.path
            permitted = permitted or inner
    decisive = permitted or (root if _matches(root, asked) else None)
    if decisive is None:
        return (_Effect.BOUNDARY, root.path) if root.permit else _SILENT
    if not decisive.permit:
        return _Effect.DENY, decisive.path
    return (_Effect.PERMIT if rules.verified or trust_unverified else _Effect.BOUNDARY), decisive.path


def _holds(rule: Provision, asked: _Asked) -> bool:
    return rule.bounds is periods.ALWAYS or periods.holds(rule.bounds, asked.now)


def _matches(rule: Provision, asked: _Asked) -> bool:
    return (
        not rule.void
        and (rule.purposes is None or not rule.purposes.isdisjoint(asked.purposes))
        and (rule.actors is None or not rule.actors.isdisjoint(asked.request.actor))
        and (rule.data is None or not rule.data.isdisjoint(asked.data))
        and (rule.labels is None or (codes.covers if rule.permit else codes.touches)(rule.labels, asked.labels))
        and (rule.dates is None or (periods.inside if rule.permit else periods.meets)(rule.dates, asked.span))
    )


def _default(policy: Policy, request: Request) -> bool:
    breaking = request.purpose == codes.BREAK_GLASS
    treating = codes.TREATMENT in codes.purpose_line(request.purpose)
    return {
        Policy.BASIC_NORMAL: request.clinician and treating,
        Policy.ALL_AUTHORIZED: request.privileged if breaking else True,
        Policy.BREAK_GLASS_ONLY: breaking and request.privileged,
        Policy.DENY: False,
    }[policy]


@dataclass(frozen=True, slots=True)
class Filed:
    """One version of a Consent with the time from which it was the one on file."""

    rules: Rules
    recorded: datetime = field(default=datetime.min.replace(tzinfo=UTC))


def as_of(filed: Iterable[Filed], at: datetime) -> list[Rules]:
    """The version of each Consent that was on file at that time: the same request gives the same decision again."""
    latest: dict[str, Filed] = {}
    for each in filed:
        known = latest.get(each.rules.consent_id)
        if each.recorded <= at and (known is None or each.recorded >= known.recorded):
            latest[each.rules.consent_id] = each
    return [each.rules for each in latest.values()]
