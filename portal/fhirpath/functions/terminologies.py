"""FHIR's `%terminologies` (FHIRPath, Terminology Service API): each function asks the Host and wraps what it answers."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items, plain, wrap
from portal.fhirpath.functions.registry import Function

OPERATIONS = {"expand": 1, "lookup": 1, "validateVS": 2, "validateCS": 2, "subsumes": 3, "translate": 2}
TERMINOLOGIES: dict[str, Function] = {}


def operation(name: str, least: int) -> None:
    def run(env: Env, items: Items, *arguments: Items) -> Items:
        env.spend(100)
        found = None if env.host is None else env.host.terminology(name, [plain(one) for one in arguments])
        return wrap(found, env.model)

    TERMINOLOGIES[name] = Function(name, run, ("items",) * (least + 2), least, many=False)


for _name, _least in OPERATIONS.items():
    operation(_name, _least)
