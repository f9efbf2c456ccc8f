"""`portal fhirpath EXPRESSION FILE`: what an expression gives, as a JSON array."""

from __future__ import annotations

import os
import re
from typing import Any

from portal import fhirpath
from portal.fhir import exact, structure
from portal.fhirpath import Quantity, ResponseIndex
from portal.fhirpath.temporal import Temporal
from portal.questionnaire.searching import Records

from . import asking, files, writing
from .arguments import Arguments
from .exits import FINE, CannotRead
from .files import Json

UCUM = "http://unitsofmeasure.org"
FILE_NAME = re.compile(r"[^\s\"'{\[][^\"'{\[\n]*\.(?:json|xml|ndjson)")


class Around(ResponseIndex):
    """resolve() finds what was given: the entries of Bundles, and resources given by `--env`. conformsTo() looks at how a
    resource is built."""

    def __init__(self, given: list[Json]) -> None:
        super().__init__()
        self._records = Records([r for one in given for r in files.unpacked(one)])

    def resolve(self, reference: str) -> Json | None:
        return self._records.fetch(reference) if "?" not in reference else None

    def sound(self, resource: Json) -> bool:
        return not structure.problems(resource)


def evaluate(given: Arguments) -> int:
    resource = files.resource(given.file)
    variables = dict(map(_named, given.env))
    around = Around([resource, *(value for value in variables.values() if isinstance(value, dict))])
    program = fhirpath.compile(given.expression.strip(), fhirpath.R4 if given.r4 else None)
    found = program.evaluate(
        resource, {"resource": resource, **variables}, now=asking.moment(given.now), context=around
    )
    writing.line([as_fhir(value) for value in found])
    return FINE


def _named(text: str) -> tuple[str, Any]:
    """`name=FILE` or `name=value`; a value is JSON (`5`, `true`, `"x"`) or else a text. Raises CannotRead for what can only
    be the name of a file that is not there."""
    name, sign, value = text.removeprefix("%").partition("=")
    if not sign or not name:
        raise CannotRead(f"--env {text!r} is not NAME=FILE or NAME=VALUE.")
    if value and "\0" not in value and (os.path.isfile(value) or FILE_NAME.fullmatch(value)):
        return name, files.document(value)
    try:
        return name, exact.loads(value)
    except exact.UnreadableJson:
        return name, value


def as_fhir(value: Any) -> Any:
    """A result as FHIR writes it: dates and times as text, a quantity as a Quantity, elements as they are."""
    if isinstance(value, Temporal):
        return str(value).removeprefix("T").removesuffix("T")
    if isinstance(value, Quantity):
        coded = {} if value.calendar else {"system": UCUM, "code": value.unit}
        return {"value": value.value, "unit": value.unit, **coded}
    return value
