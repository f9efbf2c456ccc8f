"""Which control asks a question: what the author named, else what suits the type and the number of options."""

from __future__ import annotations

from .items import Item

_CONTROLS_WORDS = """
radios checkboxes select autocomplete text textarea integer decimal date datetime time yesno quantity slider url
attachment reference display group table grid hidden
"""
CONTROLS = frozenset(_CONTROLS_WORDS.split())
ABSORBED = ("help", "flyover", "legal", "unit", "prompt", "lower", "upper")
"""itemControl codes of a display that is drawn as a part of its parent."""

FEW, MANY = 8, 60
_NAMED = {
    "radio-button": "radios",
    "check-box": "checkboxes",
    "drop-down": "select",
    "autocomplete": "autocomplete",
    "lookup": "autocomplete",
}
_GROUPS = {"grid": "grid", "gtable": "table", "table": "table", "htable": "table", "atable": "table"}
_PLAIN = {
    "boolean": "yesno",
    "decimal": "decimal",
    "integer": "integer",
    "date": "date",
    "dateTime": "datetime",
    "time": "time",
    "string": "text",
    "text": "textarea",
    "url": "url",
    "attachment": "attachment",
    "reference": "reference",
    "quantity": "quantity",
    "choice": "autocomplete",
    "open-choice": "text",
    "display": "display",
}


def control(item: Item, options: int, lookup: bool) -> str:
    """`options`: how many there are to choose from; `lookup`: whether they must be searched for elsewhere."""
    if item.type == "group":
        return next((_GROUPS[code] for code in sorted(item.controls) if code in _GROUPS), "group")
    if lookup and not options:
        return "autocomplete"
    if options and item.is_question and item.type != "boolean":
        return _choice(item, options)
    if item.controls & {"slider"} and item.type in ("integer", "decimal", "quantity"):
        return "slider"
    if item.controls & {"text-box"} and item.type == "string":
        return "textarea"
    return _PLAIN[item.type]


def _choice(item: Item, options: int) -> str:
    named = next((_NAMED[code] for code in sorted(item.controls) if code in _NAMED), "")
    if named == "radios" and item.repeats:
        named = "checkboxes"
    if named == "checkboxes" and not item.repeats:
        named = "radios"
    if named == "select" and item.repeats:
        named = "checkboxes" if options <= MANY else "autocomplete"
    if named:
        return named
    if item.repeats:
        return "checkboxes" if options <= MANY else "autocomplete"
    if options <= FEW:
        return "radios"
    return "select" if options <= MANY else "autocomplete"
