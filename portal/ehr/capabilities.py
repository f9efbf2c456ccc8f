"""What this server can do: its CapabilityStatement as data that reading and delivery adapt to. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from portal.fhir.resources import Json, at, objects_at, text_at

READABLE = ("4.0", "4.3")
"""FHIR versions that we read: R4 and R4B, whose elements are the same for what we use."""


@dataclass(frozen=True)
class Ability:
    """What a server says of one resource type. `params` are its search parameters, `operations` without the dollar sign."""

    interactions: frozenset[str] = frozenset()
    params: frozenset[str] = frozenset()
    includes: frozenset[str] = frozenset()
    operations: frozenset[str] = frozenset()
    update_create: bool = False
    conditional_create: bool = False
    conditional_update: bool = False
    versioning: str = ""


NOTHING = Ability()


@dataclass(frozen=True)
class Capabilities:
    """A server's word about itself. `known` is False when there is no statement to go by: then nothing is ruled out."""

    fhir_version: str = ""
    software: str = ""
    software_version: str = ""
    interactions: frozenset[str] = frozenset()
    types: dict[str, Ability] = field(default_factory=dict)
    known: bool = True

    @property
    def transaction(self) -> bool:
        return "transaction" in self.interactions

    @property
    def batch(self) -> bool:
        return "batch" in self.interactions

    @property
    def readable(self) -> bool:
        """Whether it is a FHIR version whose resources we understand."""
        return not self.known or self.fhir_version.startswith(READABLE)

    def of(self, kind: str) -> Ability:
        return self.types.get(kind, NOTHING)

    def offers(self, kind: str) -> bool:
        """Whether the type may be asked for at all: declared, or the server declares no types to go by."""
        return not self.types or kind in self.types

    def finds(self, kind: str, parameter: str) -> bool:
        """Whether a search by this parameter may be tried; a server that lists none for the type is taken at its silence."""
        params = self.of(kind).params
        return not self.known or not params or parameter in params

    def names(self, kind: str, parameter: str) -> bool:
        """Whether the server says in so many words that it searches the type by this parameter."""
        return parameter in self.of(kind).params

    def operates(self, kind: str, operation: str) -> bool:
        """Whether the server says that it offers this operation on the type."""
        return operation in self.of(kind).operations

    def keeps_history(self, kind: str) -> bool:
        """Whether the earlier versions of one resource may be asked for."""
        return "history-instance" in self.of(kind).interactions

    def conditional_create(self, kind: str) -> bool:
        """`ifNoneExist` by identifier: declared, and the server can search the type by identifier (else the whole fails)."""
        able = self.of(kind)
        return able.conditional_create and (not able.params or "identifier" in able.params)

    def update_create(self, kind: str) -> bool:
        return self.of(kind).update_create


UNKNOWN = Capabilities(known=False)


def parse(statement: Json) -> Capabilities:
    """From a CapabilityStatement (R4 to R5); total: what is not there is not claimed."""
    rest = next((each for each in objects_at(statement, "rest") if text_at(each, "mode") in ("", "server")), {})
    return Capabilities(
        fhir_version=text_at(statement, "fhirVersion"),
        software=text_at(statement, "software", "name"),
        software_version=text_at(statement, "software", "version"),
        interactions=_codes(rest),
        types=_types(rest),
    )


def _types(rest: Json) -> dict[str, Ability]:
    """By type. An operation that is listed for the whole server counts for the type that its definition names."""
    listed = [each for each in objects_at(rest, "resource") if text_at(each, "type")]
    everywhere = [each.rpartition("/")[2] for each in _definitions(rest)]
    return {
        kind: _ability(each, frozenset(name.partition("-")[2] for name in everywhere if name.startswith(f"{kind}-")))
        for each in listed
        if (kind := text_at(each, "type"))
    }


def _definitions(holder: Json) -> list[str]:
    return [text_at(each, "definition").partition("|")[0] for each in objects_at(holder, "operation")]


def _ability(resource: Json, more: frozenset[str] = frozenset()) -> Ability:
    named = frozenset(text_at(each, "name").removeprefix("$") for each in objects_at(resource, "operation"))
    prefix = f"{text_at(resource, 'type')}-"
    defined = [each.rpartition("/")[2] for each in _definitions(resource)]
    return Ability(
        interactions=_codes(resource),
        params=frozenset(text_at(each, "name") for each in objects_at(resource, "searchParam")),
        includes=_texts(at(resource, "searchInclude")),
        operations=named | more | {each.removeprefix(prefix) for each in defined if each.startswith(prefix)},
        update_create=resource.get("updateCreate") is True,
        conditional_create=resource.get("conditionalCreate") is True,
        conditional_update=resource.get("conditionalUpdate") is True,
        versioning=text_at(resource, "versioning"),
    )


def _codes(holder: Json) -> frozenset[str]:
    return frozenset(text_at(each, "code") for each in objects_at(holder, "interaction"))


def _texts(found: Any) -> frozenset[str]:
    return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()


def to_json(can: Capabilities) -> Json:
    """For keeping; `from_json` gives it back."""
    return {
        "fhirVersion": can.fhir_version,
        "software": can.software,
        "softwareVersion": can.software_version,
        "interactions": sorted(can.interactions),
        "types": {
            kind: {
                "interactions": sorted(able.interactions),
                "params": sorted(able.params),
                "includes": sorted(able.includes),
                "operations": sorted(able.operations),
                "updateCreate": able.update_create,
                "conditionalCreate": able.conditional_create,
                "conditionalUpdate": able.conditional_update,
                "versioning": able.versioning,
            }
            for kind, able in sorted(can.types.items())
        },
    }


def from_json(kept: Json | None) -> Capabilities:
    if not kept:
        return UNKNOWN
    return Capabilities(
        kept["fhirVersion"],
        kept["software"],
        kept["softwareVersion"],
        frozenset(kept["interactions"]),
        {
            kind: Ability(
                frozenset(able["interactions"]),
                frozenset(able["params"]),
                frozenset(able["includes"]),
                frozenset(able.get("operations", ())),
                able["updateCreate"],
                able["conditionalCreate"],
                able["conditionalUpdate"],
                able["versioning"],
            )
            for kind, able in kept["types"].items()
        },
    )


def gaps(can: Capabilities, needs: Iterable[str]) -> list[str]:
    """The resource types among `needs` that this server does not have."""
    return [kind for kind in needs if not can.offers(kind)]
