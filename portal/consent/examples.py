"""What each choice does, as examples: made by asking the decision itself, so that they cannot say anything else. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from portal.consent import codes, resource
from portal.consent.choices import Sheet
from portal.consent.decision import Policy, Request, Resource, decide
from portal.consent.provisions import Rules, read
from portal.consent.wording import WORDING

_PATIENT, _CLINIC, _BASE = "example", "example-clinic", "urn:previsit"
_NORMAL = f"{codes.CONFIDENTIALITY}|N"

VIEWERS: dict[str, tuple[str, bool, bool]] = {
    "doctor": ("TREAT", True, True),
    "emergency": ("BTG", True, True),
    "desk": ("HOPERAT", False, True),
    "record": ("TREAT", True, True),
    "researcher": ("HRESCH", False, True),
    "other": ("TREAT", True, False),
}
"""viewer → purpose, treats the patient, belongs to the clinic"""

THINGS: dict[str, frozenset[str]] = {
    "answers": frozenset({_NORMAL}),
    "private": frozenset({f"{codes.ACT_CODE}|PSY"}),
}

CASES: dict[str, dict[str, str]] = {
    "all": {"share": "yes", "sensitive": "yes", "research": "no"},
    "some": {"share": "yes", "sensitive": "no", "research": "no"},
    "emergency": {"share": "yes", "sensitive": "emergency", "research": "no"},
    "research": {"share": "yes", "sensitive": "yes", "research": "yes"},
    "none": {"share": "no", "sensitive": "no", "research": "no"},
}


Example = tuple[str, tuple[str, ...]]
"""One way to choose, and a line for each of those who may or may not see something then."""


def sees(viewer: str, thing: str, rules: Sequence[Rules], policy: Policy, whose: tuple[str, str], at: datetime) -> bool:
    """Whether this kind of viewer sees this kind of thing of `whose` (patient id, clinic id) under these rules."""
    purpose, treats, ours = VIEWERS[viewer]
    clinic = f"{resource.CLINIC_SYSTEM}|{whose[1] if ours else 'somewhere else'}"
    group = frozenset({f"{resource.EMERGENCY_SYSTEM}|{whose[1]}"}) if purpose == "BTG" else frozenset[str]()
    asked = Request(
        now=at,
        zone=UTC,
        patients=frozenset({f"{resource.PATIENT_SYSTEM}|{whose[0]}"}),
        actor=frozenset({clinic}) | group,
        purpose=codes.code(codes.ACT_REASON, purpose),
        resource=Resource("QuestionnaireResponse", labels=THINGS[thing]),
        clinician=treats and ours,
        privileged=bool(group),
    )
    return decide(asked, rules, policy).permit or (bool(group) and sees("doctor", thing, rules, policy, whose, at))


def told_apart(seen: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What each viewer sees; an emergency is only worth a line where it opens more."""
    same = seen["emergency"] == seen["doctor"]
    return {viewer: things for viewer, things in seen.items() if not (same and viewer == "emergency")}


def examples(shown: Sheet, clinic: str) -> tuple[Example, ...]:
    """What the example is, then every case of it, in the language of the sheet."""
    words = {key: text.format(clinic=clinic) for key, text in WORDING[shown.language].items()}
    cases = (_example(key, chosen, shown, words) for key, chosen in CASES.items())
    return ((words["examples"], (words["examples.explain"],)), *cases)


def _example(key: str, chosen: Mapping[str, str], shown: Sheet, words: Mapping[str, str]) -> Example:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ceremony = resource.Ceremony(
        version_id="example",
        patient_id=_PATIENT,
        patient_name="",
        clinic_id=_CLINIC,
        clinic_name="",
        given_at=at,
        ends_on=None,
        choices={**chosen, "results": "yes"},
        sheet=shown,
    )
    rules = [read(made, base=_BASE, zone=UTC) for made in resource.consents(ceremony).values()]
    seen: dict[tuple[str, ...], list[str]] = {}
    whose = (_PATIENT, _CLINIC)
    each_sees = {
        viewer: tuple(each for each in THINGS if sees(viewer, each, rules, Policy.DENY, whose, at))
        for viewer in VIEWERS
    }
    for viewer, things in told_apart(each_sees).items():
        seen.setdefault(things, []).append(words[f"who.{viewer}"])
    return words[f"case.{key}"], tuple(
        f"{_listed([words[f'thing.{each}'] for each in things], words)}: {_listed(who, words)}."
        for things, who in seen.items()
    )


def _listed(names: Sequence[str], words: Mapping[str, str]) -> str:
    """One; one and two; one, two and three. Nothing has its own word. The first begins a sentence or follows one."""
    if not names:
        return words["nothing"]
    *others, last = names
    return f"{', '.join(others)} {words['and']} {last}" if others else last
