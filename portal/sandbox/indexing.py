"""What a resource can be found by: the rows of its search index, taken from its JSON by the table of parameters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from portal.sandbox import moments
from portal.sandbox.parameters import Parameter, parameters

Row = tuple[str, ...]


def rows(resource: Mapping[str, Any], base_url: str) -> Iterator[tuple[str, Row]]:
    """(kind, (parameter, value, value)) for the tables token, string, date and reference of the store."""
    for parameter in parameters(resource["resourceType"]).values():
        for path in parameter.paths:
            for value in walk(resource, path.split(".")):
                for row in _values(parameter, value, base_url):
                    yield parameter.kind, (parameter.name, *row)


def walk(value: Any, steps: list[str]) -> Iterator[Any]:
    """The values at a path, lists flattened."""
    if isinstance(value, list):
        for part in value:
            yield from walk(part, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping):
        name, _, condition = steps[0].partition("[")
        member, _, wanted = condition.rstrip("]").partition("=")
        for part in walk(value.get(name, []), []):
            if not condition or (isinstance(part, Mapping) and part.get(member) == wanted):
                yield from walk(part, steps[1:])


def _values(parameter: Parameter, value: Any, base_url: str) -> Iterator[Row]:
    if parameter.kind == "token":
        yield from tokens(value)
    elif parameter.kind == "string":
        yield from ((folded(text), text) for text in texts(value))
    elif parameter.kind == "date":
        found = moments.range_of(value)
        if found:
            yield found
    else:
        target = pointed_at(value, base_url)
        if target and (parameter.only is None or target.startswith(parameter.only + "/")):
            yield (target,)


def tokens(value: Any) -> Iterator[Row]:
    """(system, code) of a code, Coding, CodeableConcept, Identifier or ContactPoint."""
    if isinstance(value, bool):
        yield "", "true" if value else "false"
    elif isinstance(value, str):
        yield "", value
    elif isinstance(value, Mapping):
        if isinstance(value.get("coding"), list):
            for coding in value["coding"]:
                yield from tokens(coding)
        code = value.get("code", value.get("value"))
        if isinstance(code, str):
            contact = "rank" in value or value.get("system") in (
                "phone",
                "email",
                "fax",
                "sms",
                "url",
                "pager",
                "other",
            )
            yield "" if contact else str(value.get("system", "")), code


NAME_PARTS = (
    "family",
    "given",
    "text",
    "prefix",
    "suffix",
    "line",
    "city",
    "district",
    "state",
    "postalCode",
    "country",
)


def texts(value: Any) -> Iterator[str]:
    """The searchable texts of a string, HumanName or Address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in NAME_PARTS:
            yield from (text for text in walk(value.get(part, []), []) if isinstance(text, str))


def folded(text: str) -> str:
    """Lower case without accents, as string searches compare."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


def pointed_at(value: Any, base_url: str) -> str | None:
    """`Type/id`, an absolute or canonical URL; None when nothing literal is pointed at."""
    reference = value.get("reference") if isinstance(value, Mapping) else value
    if not isinstance(reference, str) or reference.startswith("#"):
        return None
    return re.sub(r"/_history/[^/]+$", "", reference.removeprefix(base_url + "/"))
