"""Choices and dates: controls that stand in a fieldset, drawn as NHS.UK frontend draws them."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from portal.components.fields import group, hint_html, label_html, tell, text_input
from portal.components.html import (
    NOTHING,
    Params,
    Say,
    attributes,
    classes,
    filled,
    finished,
    hidden_words,
    known,
    maybe,
    names,
    part,
    trusted,
    words,
)

CHOICES = names("idPrefix name fieldset hint errorMessage items value values classes attributes formGroup")
CHOICE = names(
    "id name value text html label hint divider checked conditional disabled behaviour exclusive "
    "behaviourGroup exclusiveGroup attributes"
)
DATE = names("id namePrefix fieldset hint errorMessage items values classes attributes formGroup")
DATE_ITEM = names("id name label value width classes error inputmode autocomplete attributes")
FIELDSET = names("legend classes attributes id role describedBy html")
_LEGEND = "nhsuk-fieldset__legend"


def fieldset(p: Params, say: Say) -> Markup:
    """A named group of controls: `legend`, and the controls as `html` (Markup)."""
    inner = trusted(p["html"]) if p.get("html") else ""
    return finished(_fieldset(p, p.get("describedBy") or "", str(inner), p.get("role")))


def legend(p: Params, say: Say) -> Markup:
    return finished(_legend(part(p)))


def _legend(piece: Params) -> str:
    if not piece:
        return ""
    size = piece.get("size")
    css = classes(_LEGEND, f"{_LEGEND}--{size}" if size in {"s", "m", "l", "xl"} else "", piece.get("classes"))
    said = f"{words(piece)}{hidden_words(piece)}"
    if piece.get("isPageHeading"):
        said = f'<h1 class="nhsuk-fieldset__heading">{said}</h1>'
    return f'<legend class="{css}"{maybe("id", piece.get("id"))}{attributes(piece.get("attributes"))}>{said}</legend>'


def _fieldset(p: Params, described_by: str, inner: str, role: Any = None) -> str:
    known(p, FIELDSET)
    css = classes("nhsuk-fieldset", p.get("classes"))
    return (
        f'<fieldset class="{css}"{maybe("id", p.get("id"))}{maybe("role", role)}'
        f"{maybe('aria-describedby', described_by or None)}{attributes(p.get('attributes'))}>"
        f"{_legend(part(p.get('legend')))}{inner}</fieldset>"
    )


def radios(p: Params, say: Say) -> Markup:
    """One of `items` (`value`, `text`, `hint`, `divider`, `conditional.html`); `value` is the chosen one."""
    chosen = p.get("value")
    return _choices(p, say, "radio", "nhsuk-radios", {str(chosen)} if filled(chosen) else set())


def checkboxes(p: Params, say: Say) -> Markup:
    """Any of `items`; `values` are the ticked ones; an item with `exclusive` clears the others."""
    return _choices(p, say, "checkbox", "nhsuk-checkboxes", {str(value) for value in p.get("values") or ()})


def _choices(p: Params, say: Say, kind: str, base: str, chosen: set[str]) -> Markup:
    known(p, CHOICES)
    ident = p.get("idPrefix") or p.get("name")
    fieldset_of = p.get("fieldset") or NOTHING
    told = tell(p, ident, say, fieldset_of.get("describedBy") or "")
    alone = "" if fieldset_of or kind == "radio" else told.described_by
    items = "".join(
        _choice(item, f"{ident}-{number}" if number > 1 else str(ident), p.get("name"), kind, base, chosen, alone)
        for number, item in enumerate(p.get("items", ()), 1)
        if item
    )
    css = classes(base, p.get("classes"))
    box = f'<div class="{css}"{attributes(p.get("attributes"))} data-module="{base}">{items}</div>'
    inner = f"{told.html}{box}"
    return group(p, _fieldset(fieldset_of, told.described_by, inner) if fieldset_of else inner, told.error)


def _choice(item: Params, own_id: str, name: Any, kind: str, base: str, chosen: set[str], described: str) -> str:
    known(item, CHOICE)
    if item.get("divider"):
        return f'<div class="{base}__divider">{escape(item["divider"])}</div>'
    ident = str(item.get("id") or own_id)
    piece, clue = part(item.get("label") or _said(item)), part(item.get("hint"))
    checked = item["checked"] if item.get("checked") is not None else str(item.get("value")) in chosen
    clue_id = str(clue.get("id") or f"{ident}-item-hint")
    more = (item.get("conditional") or NOTHING).get("html")
    behaviour = _behaviour(item) if kind == "checkbox" else ""
    described = " ".join(filter(None, (described, clue_id if clue else "")))
    html = (
        f'<div class="{base}__item"><input class="{base}__input"{maybe("id", ident)}'
        f"{maybe('name', item.get('name') or name)}"
        f' type="{kind}" value="{escape(item.get("value", ""))}"{" checked" if checked else ""}'
        f"{' disabled' if item.get('disabled') else ''}{behaviour}"
        f"{maybe('data-aria-controls', f'conditional-{ident}' if more else None)}"
        f"{maybe('aria-describedby', described or None)}{attributes(item.get('attributes'))}>"
        f"{label_html({**piece, 'classes': classes(f'{base}__label', piece.get('classes'))}, 'nhsuk-label', ident)}"
        f"{hint_html(clue, clue_id, f'{base}__hint') if clue else ''}</div>"
    )
    if not more:
        return html
    hidden = "" if checked else f" {base}__conditional--hidden"
    return f'{html}<div class="{base}__conditional{hidden}" id="conditional-{escape(ident)}">{trusted(more)}</div>'


def _behaviour(item: Params) -> str:
    """An exclusive item unticks the others; with a group, only those of its group."""
    how = "exclusive" if item.get("exclusive") else item.get("behaviour")
    return maybe("data-behaviour", how) + maybe(
        "data-behaviour-group", item.get("exclusiveGroup") or item.get("behaviourGroup")
    )


def _said(item: Params) -> Params:
    return {"text": item.get("text"), "html": item.get("html")}


def date_input(p: Params, say: Say) -> Markup:
    """Day, month and year in three boxes, or the boxes of `items`; a partial date leaves boxes empty."""
    known(p, DATE)
    own, ident = p.get("fieldset") or NOTHING, p.get("id")
    told = tell(p, ident, say, own.get("describedBy") or "")
    items = p.get("items") or (
        {"name": "day", "label": say("Day")},
        {"name": "month", "label": say("Month")},
        {"name": "year", "label": say("Year"), "width": 4},
    )
    one_wrong = any(item.get("error") for item in items)
    boxes = "".join(_date_box(known(item, DATE_ITEM), p, told.error and not one_wrong, say) for item in items)
    css = classes("nhsuk-date-input", p.get("classes"))
    inner = f'{told.html}<div class="{css}"{maybe("id", ident)}{attributes(p.get("attributes"))}>{boxes}</div>'
    whole = _fieldset(own, told.described_by, inner, own.get("role") or "group") if own else inner
    return group(p, whole, told.error or one_wrong)


def _date_box(item: Params, p: Params, all_wrong: bool, say: Say) -> str:
    name, prefix = item["name"], p.get("namePrefix")
    value = item["value"] if item.get("value") is not None else (p.get("values") or NOTHING).get(name)
    piece = part(item.get("label"))
    box = text_input(
        {
            "label": {**piece, "classes": classes("nhsuk-date-input__label", piece.get("classes"))},
            "id": item.get("id") or f"{p.get('id')}-{name}",
            "name": f"{prefix}[{name}]" if prefix else name,
            "value": value,
            "width": item.get("width") or (4 if name == "year" else 2),
            "inputmode": item.get("inputmode") or "numeric",
            "classes": classes("nhsuk-date-input__input", item.get("classes")),
            "errorMessage": bool(item.get("error")) or (all_wrong and item.get("error") is not False),
            "autocomplete": item.get("autocomplete"),
            "attributes": item.get("attributes"),
        },
        say,
    )
    return f'<div class="nhsuk-date-input__item">{box}</div>'
