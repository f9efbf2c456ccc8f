"""Reads a FHIR R4 Consent once into rules; what is not understood narrows permits and widens denies. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache
from typing import Any, TypeVar

from portal.consent import codes, periods
from portal.consent.periods import ALWAYS, Stretch

_IGNORED_STATUS = frozenset({"draft", "proposed", "rejected", "inactive", "entered-in-error"})
_OTHER_SCOPES = frozenset({"adr", "research", "treatment"})
_TYPES = {"permit": True, "deny": False}
_POLICY_RULES = {"OPTIN": True, "OPTOUT": False}
_UNDERSTOOD = frozenset(
    {"id", "extension", "type", "period", "purpose", "actor", "securityLabel", "data", "dataPeriod", "provision"}
)
_MEANINGS = frozenset({"instance", "related", "authoredby"})


_RECIPIENT = f"{codes.PARTICIPATION}|IRCP"
Meant = TypeVar("Meant")


class NotUnderstood(ValueError):
    """A Consent that we must not guess about; it counts as a refusal until a person has looked."""


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule of a Consent. None means "any"; an empty set matches nothing."""

    permit: bool
    path: str
    bounds: Stretch = ALWAYS
    purposes: frozenset[str] | None = None
    actors: frozenset[str] | None = None
    labels: frozenset[str] | None = None
    data: frozenset[tuple[str, str]] | None = None
    dates: Stretch | None = None
    void: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of one Consent, ready to be matched. `patients` is None when it does not say whose it is."""

    consent_id: str
    version: str
    patients: frozenset[str] | None
    counts: bool = True
    broken: str | None = None
    verified: bool = True
    root: Provision = Provision(False, "provision")
    nested: tuple[Provision, ...] = ()


def read(consent: object, *, base: str, zone: tzinfo, version: str = "") -> Rules:
    """The rules of one Consent as filed at `base` (the server it came from; relative references are relative to it).

    Never raises: what cannot be read comes back `broken`, with the reason for the alert.
    """
    if not isinstance(consent, Mapping):
        return Rules("", version, None, broken="not a Consent resource")
    version = version or str(_mapping(consent.get("meta")).get("versionId", ""))
    rules = Rules(str(consent.get("id", "")), version, None)
    try:
        rules = replace(rules, patients=frozenset(identities(consent.get("patient"), base, consent)) or None)
        return _read(rules, consent, base, zone)
    except NotUnderstood as reason:
        return replace(rules, broken=str(reason))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return replace(rules, broken="it is not shaped like a FHIR R4 Consent")


def _read(rules: Rules, consent: Mapping[str, Any], base: str, zone: tzinfo) -> Rules:
    if consent.get("resourceType") != "Consent":
        raise NotUnderstood("not a Consent resource")
    status = consent.get("status")
    if status in _IGNORED_STATUS:
        return replace(rules, counts=False)
    if status != "active":
        raise NotUnderstood("its status is unknown")
    if not _privacy(consent.get("scope")):
        return replace(rules, counts=False)
    if not rules.patients:
        raise NotUnderstood("it does not say whose it is")
    _no_modifiers({name: held for name, held in consent.items() if name not in ("contained", "text")})
    outer = _single(consent.get("provision"))
    root = _provision(outer, _base(outer, consent.get("policyRule")), "provision", base, zone, consent)
    nested = tuple(_nested(outer, base, zone, consent))
    return replace(rules, verified=_verified(consent.get("verification")), root=root, nested=nested)


def _privacy(scope: Any) -> bool:
    found = {codes.code(each.get("system"), each.get("code")) for each in _rows(scope["coding"])}
    if f"{codes.SCOPE}|patient-privacy" in found:
        return True
    if found and found <= {f"{codes.SCOPE}|{other}" for other in _OTHER_SCOPES}:
        return False
    raise NotUnderstood("its scope is unknown")


def _no_modifiers(value: Any) -> None:
    if isinstance(value, Mapping):
        if value.get("modifierExtension") or value.get("implicitRules"):
            raise NotUnderstood("it carries a modifier that we do not know")
        for held in value.values():
            _no_modifiers(held)
    elif isinstance(value, list):
        for held in value:
            _no_modifiers(held)


def _single(provision: Any) -> Mapping[str, Any]:
    if provision is None:
        return {}
    if not isinstance(provision, Mapping):
        raise NotUnderstood("its provision is not one object")
    return provision


def _base(outer: Mapping[str, Any], policy_rule: Any) -> bool:
    """Permit or deny at the root: R4 takes it from policyRule, IHE PCF from provision.type; both must not disagree."""
    said = {_TYPES[outer["type"]]} if "type" in outer else set()
    for each in _rows(_mapping(policy_rule).get("coding")):
        if each.get("code") in _POLICY_RULES and each.get("system", codes.ACT_CODE) == codes.ACT_CODE:
            said.add(_POLICY_RULES[each["code"]])
    if len(said) != 1:
        raise NotUnderstood("it does not say whether it permits or denies")
    return said.pop()


def _nested(outer: Mapping[str, Any], base: str, zone: tzinfo, consent: Mapping[str, Any]) -> Iterator[Provision]:
    for index, inner in enumerate(_rows(outer.get("provision"))):
        if inner.get("provision"):
            raise NotUnderstood("its rules are nested more than once")
        permit = _TYPES[inner["type"]]
        whole = {**_inherited(outer), **inner} if permit else inner
        yield _provision(whole, permit, f"provision.provision[{index}]", base, zone, consent)


def _inherited(outer: Mapping[str, Any]) -> dict[str, Any]:
    """A nested permit holds within its root for everything that it does not say itself; a nested deny stands alone."""
    return {name: held for name, held in outer.items() if name not in ("id", "type", "period", "provision")}


def _provision(
    raw: Mapping[str, Any], permit: bool, path: str, base: str, zone: tzinfo, consent: Mapping[str, Any]
) -> Provision:
    return Provision(
        permit=permit,
        path=path,
        bounds=periods.period(raw.get("period"), zone),
        purposes=_coded(raw.get("purpose"), permit),
        actors=_known(raw.get("actor"), permit, lambda each: _actor(each, base, consent)),
        labels=_coded(raw.get("securityLabel"), permit),
        data=_known(raw.get("data"), permit, lambda each: _data(each, base, consent)),
        dates=periods.period(raw["dataPeriod"], zone) if "dataPeriod" in raw else None,
        void=permit and not raw.keys() <= _UNDERSTOOD,
    )


def _known(listed: Any, permit: bool, understand: Callable[[Any], list[Meant]]) -> frozenset[Meant] | None:
    """What the entries of a list stand for. One not understood is left out of a permit, and makes a deny mean "any"."""
    if listed is None:
        return None
    found: set[Meant] = set()
    for each in _rows(listed):
        meant = understand(each)
        if not meant and not permit:
            return None
        found.update(meant)
    return frozenset(found)


def _coded(listed: Any, permit: bool) -> frozenset[str] | None:
    found = _known(listed, permit, _coding)
    return None if found is None else _one(found)


@lru_cache(maxsize=1024)
def _one(codes: frozenset[str]) -> frozenset[str]:
    """The same codes as the same object: thousands of rules then share a few, and comparing them costs nothing."""
    return codes


def _coding(each: Mapping[str, Any]) -> list[str]:
    return [codes.code(each["system"], each["code"])] if each.get("system") and each.get("code") else []


def _actor(each: Mapping[str, Any], base: str, consent: Mapping[str, Any]) -> list[str]:
    codings = _rows(_mapping(each.get("role")).get("coding"))
    roles = {codes.code(coding.get("system"), coding.get("code")) for coding in codings}
    return list(identities(each.get("reference"), base, consent)) if _RECIPIENT in roles else []


def _data(each: Mapping[str, Any], base: str, consent: Mapping[str, Any]) -> list[tuple[str, str]]:
    meaning = each.get("meaning")
    if meaning not in _MEANINGS:
        return []
    return [(meaning, identity) for identity in identities(each.get("reference"), base, consent)]


def _verified(verification: Any) -> bool:
    return all(each.get("verified") is True for each in _rows(verification))


def identities(reference: object, base: str, holder: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Every comparable name of what a FHIR Reference points to: its absolute address, its identifier, or a contained one's."""
    found = _mapping(reference)
    address = found.get("reference")
    if isinstance(address, str) and address.startswith("#"):
        yield from _contained(address[1:], holder or {})
    elif isinstance(address, str) and address:
        yield absolute(address, base)
    yield from _identifier(found.get("identifier"))


def absolute(address: str, base: str) -> str:
    """A reference as an absolute one without its version: `Patient/7/_history/2` at `https://ehr/r4` is `https://ehr/r4/Patient/7`."""
    plain = address.split("/_history/", maxsplit=1)[0].rstrip("/")
    if "://" in plain or plain.startswith("urn:"):
        return plain
    return f"{base.rstrip('/')}/{plain}"


def _contained(own_id: str, holder: Mapping[str, Any]) -> Iterator[str]:
    for each in holder.get("contained") or []:
        if isinstance(each, Mapping) and each.get("id") == own_id:
            for identifier in each.get("identifier") or []:
                yield from _identifier(identifier)


def _identifier(identifier: object) -> Iterable[str]:
    found = _mapping(identifier)
    return [f"{found['system']}|{found['value']}"] if found.get("system") and found.get("value") else []


def _rows(value: object) -> list[Any]:
    """The entries of a FHIR list; absent is none. NotUnderstood when it is no list, or an empty one (FHIR has none)."""
    if value is None:
        return []
    if not isinstance(value, list) or not value:
        raise NotUnderstood("a list in it is not a list")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
