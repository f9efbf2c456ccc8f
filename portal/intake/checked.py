"""What was answered in a form, to be read through: rows of a summary list, as the design system draws them (the tests compare)."""

from collections.abc import Callable, Iterable

from flask_babel import get_locale
from markupsafe import Markup, escape

from portal.components import blocks
from portal.components.html import finished
from portal.pages import words
from portal.questionnaire import Row, Section

FOLDED = 3
"""More questions of a section without an answer than these are folded together."""


def sections(found: Iterable[Section], address: Callable[[str], str]) -> Markup:
    """Section by section, each with its rows; `address` tells where a page is changed. What no answer has changed since it
    was drawn for this person in their language stays as it is, in their own filling. Without an address nothing is to change."""
    made = []
    for each in found:
        shape = (str(get_locale() or ""), address(each.page_key))
        if shape not in each.kept:
            each.kept[shape] = _section(each, escape(shape[1]))
        made.append(each.kept[shape])
    return finished("".join(made))


def _section(section: Section, address: str) -> str:
    shown = [row for row in section.rows if row.answers or not row.read_only]
    several = sum(1 for row in shown if _is_empty(row)) > FOLDED
    said = [row for row in shown if not (several and _is_empty(row))]
    left = [row for row in shown if several and _is_empty(row)]
    made = f'<h2 class="nhsuk-heading-m">{escape(section.title)}</h2>\n'
    if said:
        made += _rows(said, section.title, address)
    if left:
        told = words("%(count)s questions without an answer", count=len(left))
        made += str(blocks.details({"summaryText": told, "html": finished(_rows(left, section.title, address))}, words))
    return made


def _is_empty(row: Row) -> bool:
    return row.state == "empty" and not row.read_only


def _rows(rows: list[Row], title: str, address: str) -> str:
    change, nothing = escape(words("Change")), words("Not answered")
    some = bool(address) and any(not row.read_only for row in rows)
    made = []
    for row in rows:
        key = ": ".join([*(each for each in row.trail if each != title), row.question])
        bare = " nhsuk-summary-list__row--no-actions" if some and row.read_only else ""
        action = "" if row.read_only or not address else _action(row, address, change)
        made.append(
            f'<div class="nhsuk-summary-list__row{bare}"><dt class="nhsuk-summary-list__key">{escape(key)}</dt>'
            f'<dd class="nhsuk-summary-list__value">{escape(", ".join(row.answers) or nothing)}</dd>{action}</div>'
        )
    return f'<dl class="nhsuk-summary-list">{"".join(made)}</dl>'


def _action(row: Row, address: str, change: str) -> str:
    hidden = f'<span class="nhsuk-u-visually-hidden"> {escape(row.question)}</span>' if row.question else ""
    return f'<dd class="nhsuk-summary-list__actions"><a class="nhsuk-link" href="{address}#{row.name}">{change}{hidden}</a></dd>'
