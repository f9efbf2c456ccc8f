"""What a token lets its bearer do: SMART scopes in both spellings, and the patient that a patient's token is held to.

v1 is `system/Patient.read`, `.write`, `.*`; v2 is `system/Patient.rs` with the letters c, r, u, d, s in this order.
`patient/` and `user/` scopes belong to a person's sign-in, on the pages of /authorize or from the EHR page. A v2 scope with a
`?` filter is refused rather than granted too widely.
"""
# ruff: noqa: S608  (the marks are counted from a constant; every value is a parameter)

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from portal.sandbox.errors import Forbidden
from portal.sandbox.parameters import COMPARTMENT, TYPES, in_patient_compartment
from portal.sandbox.store import Unit

_SCOPE = re.compile(r"(system|patient|user)/(\*|[A-Z][A-Za-z]+)\.(\*|read|write|c?r?u?d?s?)")
V1 = {"read": "rs", "write": "cud", "*": "cruds"}
VERBS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}
SPECIAL = ("openid", "fhirUser", "offline_access", "launch", "launch/patient", "profile")


@dataclass(frozen=True)
class Scope:
    context: str
    type: str
    letters: frozenset[str]

    def covers(self, other: Scope) -> bool:
        """Whether everything the other allows is allowed here."""
        wide = self.type in ("*", other.type)
        return self.context == other.context and wide and other.letters <= self.letters


def read_scope(text: str) -> Scope | None:
    """The meaning of a resource scope, or None when it is none that this clinic understands."""
    match = _SCOPE.fullmatch(text)
    if not match or not match[3] or (match[2] != "*" and match[2] not in TYPES):
        return None
    return Scope(match[1], match[2], frozenset(V1.get(match[3], match[3])))


def granted(asked: str, allowed: tuple[str, ...], contexts: tuple[str, ...], special: bool) -> list[str]:
    """The part of a scope request that is granted: spelled as asked, in the order asked."""
    covers = [scope for scope in map(read_scope, allowed) if scope and scope.context in contexts]
    kept = []
    for text in dict.fromkeys(asked.split()):
        wanted = read_scope(text)
        if (special and text in SPECIAL) or (wanted and any(scope.covers(wanted) for scope in covers)):
            kept.append(text)
    return kept


@dataclass(frozen=True)
class Access:
    """The scopes of one token; `patient` is `Patient/id` when it is held to one."""

    client: str
    scope: str
    patient: str | None = None

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(scope for scope in map(read_scope, self.scope.split()) if scope)

    def allows(self, resource_type: str, letter: str) -> bool:
        return any(scope.type in ("*", resource_type) and letter in scope.letters for scope in self.scopes)

    def require(self, resource_type: str, letter: str) -> None:
        """Raises Forbidden unless some scope allows it."""
        if not self.allows(resource_type, letter):
            raise Forbidden(
                f"This token may not {VERBS[letter]} {resource_type}.",
                headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
            )

    def held_to_patient(self, resource_type: str) -> bool:
        return self.patient is not None and in_patient_compartment(resource_type)

    def may_see(self, unit: Unit, key: int, resource_type: str) -> bool:
        """Whether one stored resource may be shown: by scope, and to a patient only what is theirs."""
        if not self.allows(resource_type, "r"):
            return False
        return not self.held_to_patient(resource_type) or _theirs(unit, key, str(self.patient))


def _theirs(unit: Unit, key: int, patient: str) -> bool:
    marks = ", ".join("?" * len(COMPARTMENT))
    found = unit.connection.execute(
        f"SELECT 1 FROM resource r WHERE r.key = ? AND (r.type || '/' || r.id = ? OR EXISTS (SELECT 1 FROM"
        f" by_reference s WHERE s.key = r.key AND s.param IN ({marks}) AND s.target = ?))",
        (key, patient, *COMPARTMENT, patient),
    ).fetchone()
    return found is not None
