"""The rules of IHE's Basic Audit Log Patterns, written from its profiles by themselves: which slices each pattern wants, how often."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
BASE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
INTERACTIONS = {
    "Read": {"read", "vread"},
    "Create": {"create"},
    "Update": {"update", "patch"},
    "Delete": {"delete"},
    "Query": {"search", "search-type", "search-system"},
}
ACTIONS = {"Read": "R", "Create": "C", "Update": "U", "Delete": "D", "Query": "E"}
CLIENT_SERVER = {
    "Read": ("110152", "110153"),
    "Create": ("110153", "110152"),
    "Update": ("110153", "110152"),
    "Query": ("110153", "110152"),
    "Delete": ("110150", "custodian"),
}
WRITERS, READERS = {"AUT", "INF", "CST"}, {"IRCP"}
AUTHZ_AGENTS = {"110150", "IRCP", "PROV", "authserver"}


def problems(event: Json) -> list[str]:
    """What is wrong with an AuditEvent by R4's own rules, and by the pattern that it claims to follow."""
    found = [*_r4(event)]
    claimed = [each.removeprefix(BASE) for each in event.get("meta", {}).get("profile", [])]
    for name in claimed:
        pattern = name.removeprefix("Patient")
        if pattern in ACTIONS:
            found += _rest(event, pattern, patient=name.startswith("Patient"))
        elif name == "PrivacyDisclosure.Source":
            found += _disclosure(event)
        elif name == "AuthZconsent":
            found += _authz(event)
        else:
            found.append(f"there is no pattern {name}")
    return found


def _r4(event: Json) -> list[str]:
    """FHIR R4: cardinalities that a builder does not see, sev-1, references within, and exactly one who asked for it."""
    found = [f"no {name}" for name in ("type", "recorded", "agent", "source") if not event.get(name)]
    found += ["an entity has a name and a query" for each in event["entity"] if "name" in each and "query" in each]
    inner = {f"#{each['id']}" for each in event.get("contained", [])}
    named = {each["what"]["reference"] for each in event["entity"] if "reference" in each.get("what", {})}
    found += ["what is contained is not named, or the other way round"] if inner != named else []
    found += ["not exactly one asked for it"] if sum(each["requestor"] for each in event["agent"]) != 1 else []
    found += ["nobody observed it"] if not event["source"].get("observer") else []
    if event["outcome"] != "0" and not inner:
        found.append("a failure without an OperationOutcome")
    return found


def _rest(event: Json, pattern: str, *, patient: bool) -> list[str]:
    found = _want(event["type"]["code"] == "rest", "the type is not rest")
    found += _want(bool({each["code"] for each in event["subtype"]} & INTERACTIONS[pattern]), "no interaction")
    found += _want(event["action"] == ACTIONS[pattern], "another action")
    found += _want(event["outcome"] == "0", "a pattern of success for a failure")
    agents = _by_type(event["agent"])
    for code in CLIENT_SERVER[pattern]:
        ours = agents.get(code, [])
        found += _want(len(ours) == 1, f"{len(ours)} agents {code}")
        found += _want(all(each.get("who") and "network" in each for each in ours), f"agent {code}: who or network")
    people = [each for code in WRITERS | READERS for each in agents.get(code, [])]
    found += _want(len(people) <= 1, "two people")
    for each in people:
        allowed = READERS if pattern in ("Read", "Query") else WRITERS
        found += _want(each["type"]["coding"][0]["code"] in allowed, "the person's part")
        found += _want(each.get("who") is not None and each["requestor"] and "network" not in each, "the person")
    data = [each for each in event["entity"] if each["type"]["code"] == "2"]
    found += _want(len(data) == 1, f"{len(data)} things")
    for each in data:
        role = each["role"]["code"]
        if pattern == "Query":
            found += _want(role == "24" and "query" in each and "what" not in each, "the query")
        else:
            found += _want(role in {"3", "4", "20"} and "what" in each, "the thing")
    return found + _patient(event, 1 if patient else 0)


def _disclosure(event: Json) -> list[str]:
    found = _want(event["type"]["code"] == "110106" and event["action"] == "R", "not an export")
    found += _want("disclose" in {each["code"] for each in event["subtype"]}, "no disclosure")
    agents = _by_type(event["agent"])
    for code in ("110153", "110152"):
        ours = agents.get(code, [])
        found += _want(len(ours) == 1 and "who" in ours[0] and "network" in ours[0], f"agent {code}")
    found += _want(agents.get("110153", [{}])[0].get("who") == event["source"]["observer"], "the source observed it")
    return found + _patient(event, 1) + _want(len(event["entity"]) >= 2, "no data")


def _authz(event: Json) -> list[str]:
    agents = _by_type(event["agent"])
    found = _want(event["type"]["code"] == "110113" and event["action"] == "E", "not a decision")
    found += _want([each["code"] for each in event["subtype"]] == ["AuthZ-Consent"], "the subtype")
    found += _want(set(agents) == AUTHZ_AGENTS and all(len(each) == 1 for each in agents.values()), "the agents")
    authorizer = agents.get("authserver", [{}])[0]
    found += _want(authorizer.get("who") == event["source"]["observer"], "the authorizer observed it")
    kinds = [each["type"]["code"] for each in event["entity"]]
    found += _want(kinds.count("Consent") >= 1 and set(kinds) <= {"1", "Consent"}, "the entities are closed")
    return found + _patient(event, 1)


def _patient(event: Json, often: int) -> list[str]:
    people = [each for each in event["entity"] if each["type"]["code"] == "1"]
    right = all(each["role"]["code"] == "1" and each["what"].get("type") == "Patient" for each in people)
    return _want(len(people) == often and right, f"{len(people)} patients, {often} wanted")


def _by_type(agents: list[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for each in agents:
        found.setdefault(each["type"]["coding"][0]["code"], []).append(each)
    return found


def _want(holds: bool, else_said: str) -> list[str]:
    return [] if holds else [else_said]
