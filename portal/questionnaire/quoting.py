"""Names with a hyphen that a form declares: %registration-encounter would be a subtraction, %`registration-encounter` is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import extensions as ext
from .extensions import Json

TEXTS = ("expression", "valueString")
MAX_DEPTH = 100
"""What stands deeper than any file may is left as it is."""


def quoted(raw: Json) -> Json:
    """The form with such names written as FHIRPath reads them; the very same form where it declares none."""
    names = {name for name in _declared(raw) if re.fullmatch(r"\w+(-\w+)+", name)}
    if not names:
        return raw
    wanted = "|".join(sorted(names, key=len, reverse=True))
    made: Json = _written(raw, re.compile(rf"%({wanted})(?![\w-])"))
    return made


def _declared(element: Any) -> Iterator[str]:
    """Of launch contexts, variables and population contexts, wherever they stand."""
    for extension in ext.of(element).get("launchContext", ()):
        name = ext.part(extension, "name")
        yield str(name.get("code") if isinstance(name, dict) else name)
    for kind in ("variable", "itemPopulationContext"):
        yield from (str(one.get("name")) for one in ext.values(ext.of(element), kind) if isinstance(one, dict))
    listed = element.get("item") if isinstance(element, dict) else None
    for item in listed if isinstance(listed, list) else ():
        yield from _declared(item)


def _written(value: Any, names: re.Pattern[str], key: str = "", left: int = MAX_DEPTH) -> Any:
    if isinstance(value, dict) and left:
        return {name: _written(part, names, name, left - 1) for name, part in value.items()}
    if isinstance(value, list) and left:
        return [_written(part, names, key, left - 1) for part in value]
    return names.sub(r"%`\1`", value) if key in TEXTS and isinstance(value, str) else value
