"""6.3 Types: is(), as() and type(); the operators of the same names are in the compiler."""

from __future__ import annotations

from portal.fhirpath.env import Env, Items
from portal.fhirpath.errors import FhirPathEvaluationError
from portal.fhirpath.functions.registry import function
from portal.fhirpath.node import Node
from portal.fhirpath.types import TypeName, type_of


@function("is", "type")
def is_(env: Env, items: Items, name: TypeName) -> Items:
    if len(items) > 1:
        raise FhirPathEvaluationError("“is” takes one item")
    return [name.fits(items[0])] if items else []


@function("as", "type")
def as_(env: Env, items: Items, name: TypeName) -> Items:
    if len(items) > 1:
        raise FhirPathEvaluationError("“as” takes one item")
    return [item for item in items if name.fits(item)]


@function("type")
def type_(env: Env, items: Items) -> Items:
    out: Items = []
    for item in items:
        found = type_of(item)
        if found is not None:
            out.append(Node({"namespace": found.namespace, "name": found.name}, None, None))
    return out
