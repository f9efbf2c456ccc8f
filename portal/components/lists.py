"""Lists and tables: tasks, questions with their answers, rows of cells, the way here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from portal.components.blocks import TAG, draw_tag
from portal.components.html import (
    NOTHING,
    Params,
    Say,
    attributes,
    classes,
    element,
    finished,
    hidden_words,
    known,
    link,
    maybe,
    names,
    part,
    words,
)

SUMMARY_LIST = names("rows classes attributes")
TABLE = names("caption captionSize head rows firstCellIsHeader responsive classes attributes id")
CELL = names("text html format classes colspan rowspan attributes")


def task_list(p: Params, say: Say) -> Markup:
    """Tasks with their state: `items` of `title`, `href`, `hint`, `status` (`tag` or `text`)."""
    known(p, frozenset({"idPrefix", "items", "classes", "attributes"}))
    prefix = p.get("idPrefix") or "task-list"
    items = "".join(_task(item, f"{prefix}-{number}") for number, item in enumerate(p.get("items", ()), 1) if item)
    return finished(element("ul", classes("nhsuk-task-list", p.get("classes")), items, p))


def _task(item: Params, ident: str) -> str:
    known(item, frozenset({"title", "href", "hint", "status", "classes"}))
    title, clue, status = part(item["title"]), part(item.get("hint")), item.get("status") or NOTHING
    target = item.get("href")
    if target:
        told = f"{ident}-hint {ident}-status" if clue else f"{ident}-status"
        linked = classes("nhsuk-task-list__link nhsuk-link", title.get("classes"))
        name = f'<a class="{linked}" href="{escape(link(target))}" aria-describedby="{escape(told)}">{words(title)}</a>'
    else:
        name = f"<div{maybe('class', title.get('classes'))}>{words(title)}</div>"
    more = f'<div class="nhsuk-task-list__hint" id="{escape(ident)}-hint">{words(clue)}</div>' if clue else ""
    css = classes("nhsuk-task-list__item", "nhsuk-task-list__item--with-link" if target else "", item.get("classes"))
    state = draw_tag(known(status["tag"], TAG)) if status.get("tag") else words(status)
    return (
        f'<li class="{css}"><div class="nhsuk-task-list__name-and-hint">{name}{more}</div>'
        f'<div class="{classes("nhsuk-task-list__status", status.get("classes"))}" id="{escape(ident)}-status">'
        f"{state}</div></li>"
    )


def summary_list(p: Params, say: Say) -> Markup:
    """Questions and answers: `rows` of `key`, `value`, `actions.items` (`href`, `text`, `visuallyHiddenText`)."""
    known(p, SUMMARY_LIST)
    rows = [row for row in p.get("rows", ()) if row]
    any_actions = any((row.get("actions") or NOTHING).get("items") for row in rows)
    inner = "".join(_summary_row(row, any_actions) for row in rows)
    return finished(element("dl", classes("nhsuk-summary-list", p.get("classes")), inner, p))


def _summary_row(row: Params, any_actions: bool) -> str:
    known(row, frozenset({"key", "value", "actions", "classes"}))
    acts = [_action(act) for act in (row.get("actions") or NOTHING).get("items") or () if act]
    bare = "nhsuk-summary-list__row--no-actions" if any_actions and not acts else ""
    key, value = part(row["key"]), _piece(row.get("value"))
    if len(acts) > 1:
        items = "".join(f'<li class="nhsuk-summary-list__actions-list-item">{act}</li>' for act in acts)
        acts = [f'<ul class="nhsuk-summary-list__actions-list">{items}</ul>']
    actions = f'<dd class="nhsuk-summary-list__actions">{acts[0]}</dd>' if acts else ""
    return (
        f'<div class="{classes("nhsuk-summary-list__row", bare, row.get("classes"))}">'
        f'<dt class="{classes("nhsuk-summary-list__key", key.get("classes"))}">{words(key)}</dt>'
        f'<dd class="{classes("nhsuk-summary-list__value", value.get("classes"))}">{words(value)}</dd>{actions}</div>'
    )


def _piece(value: Any) -> Params:
    return part(value) or (value if hasattr(value, "get") else NOTHING)


def _action(act: Params) -> str:
    css = classes("nhsuk-link", act.get("classes"))
    return (
        f'<a class="{css}" href="{escape(link(act["href"]))}"{attributes(act.get("attributes"))}>'
        f"{words(act)}{hidden_words(act)}</a>"
    )


def table(p: Params, say: Say) -> Markup:
    """A table: `caption`, `head` and `rows` of cells (`text`, `format: numeric`); `responsive` stacks it on a phone."""
    known(p, TABLE)
    stacked = bool(p.get("responsive"))
    head = p.get("head") or ()
    caption = ""
    if p.get("caption"):
        size = p.get("captionSize")
        css = classes("nhsuk-table__caption", f"nhsuk-table__caption--{size}" if size else "")
        caption = f'<caption class="{css}">{words(part(p["caption"]))}</caption>'
    top = "".join(
        _cell("th", "nhsuk-table__header", cell, f' scope="col"{_role(stacked, "columnheader")}') for cell in head
    )
    if top:
        top = (
            f'<thead class="nhsuk-table__head"{_role(stacked, "rowgroup")}>'
            f'<tr class="nhsuk-table__row"{_role(stacked, "row")}>{top}</tr></thead>'
        )
    rows = "".join(
        f'<tr class="nhsuk-table__row"{_role(stacked, "row")}>'
        f"{_cells(row, head, bool(p.get('firstCellIsHeader')), stacked)}</tr>"
        for row in p.get("rows", ())
        if row
    )
    css = classes("nhsuk-table", "nhsuk-table--responsive" if stacked else "", p.get("classes"))
    inner = f'{caption}{top}<tbody class="nhsuk-table__body">{rows}</tbody>'
    named = maybe("id", p.get("id")) + _role(stacked, "table") + attributes(p.get("attributes"))
    return finished(f'<table class="{css}"{named}>{inner}</table>')


def _role(stacked: bool, name: str) -> str:
    return f' role="{name}"' if stacked else ""


def _cells(row: Sequence[Params], head: Sequence[Params], first_is_header: bool, stacked: bool) -> str:
    drawn = ""
    for place, cell in enumerate(row):
        heading = head[place] if stacked and place < len(head) else None
        if first_is_header and place == 0:
            drawn += _cell("th", "nhsuk-table__header", cell, f' scope="row"{_role(stacked, "rowheader")}', heading)
        else:
            drawn += _cell("td", "nhsuk-table__cell", cell, _role(stacked, "cell"), heading)
    return drawn


def _cell(name: str, base: str, cell: Params, more: str, heading: Params | None = None) -> str:
    known(cell, CELL)
    css = classes(base, f"{base}--{cell['format']}" if cell.get("format") else "", cell.get("classes"))
    spans = maybe("colspan", cell.get("colspan")) + maybe("rowspan", cell.get("rowspan"))
    said: str = str(words(cell))
    if heading is not None:
        inner = f"<span>{said}</span>" if cell.get("html") else said
        said = f'<span class="nhsuk-table__heading" aria-hidden="true">{words(heading)} </span>{inner}'
    return f'<{name} class="{css}"{spans}{more}{attributes(cell.get("attributes"))}>{said}</{name}>'


def breadcrumb(p: Params, say: Say) -> Markup:
    """Where this page stands: `items` of `text` and `href`, the last is the parent of this page."""
    known(p, frozenset({"items", "classes", "attributes"}))
    items = "".join(
        '<li class="nhsuk-breadcrumb__list-item"><a class="nhsuk-breadcrumb__link" '
        f'href="{escape(link(item["href"]))}">{words(item)}</a></li>'
        for item in p["items"]
    )
    css = classes("nhsuk-breadcrumb", p.get("classes"))
    return finished(
        f'<nav class="{css}" aria-label="{escape(say("Breadcrumb"))}"{attributes(p.get("attributes"))}>'
        f'<ol class="nhsuk-breadcrumb__list">{items}</ol></nav>'
    )
