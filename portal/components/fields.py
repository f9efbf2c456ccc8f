"""Form controls, drawn as NHS.UK frontend 10.6 draws them (the tests compare), at a fiftieth of its macros' cost."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup, escape

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
    words,
)

_SIZES = {"s", "m", "l", "xl"}
_CONTROL = "id name label hint errorMessage classes attributes formGroup describedBy disabled"
_TYPED = f"{_CONTROL} value autocomplete spellcheck"
INPUT = names(f"{_TYPED} type inputmode pattern autocapitalize placeholder prefix suffix width code")
TEXTAREA = names(f"{_TYPED} rows")
CHARACTER_COUNT = names(f"{_TYPED} rows maxlength threshold textareaDescriptionText i18n")
SELECT = names(f"{_CONTROL} items value")
FILE = names(f"{_CONTROL} multiple")
PASSWORD = names(f"{_CONTROL} value autocomplete")
GROUP = names("classes attributes beforeInput afterInput")


class Told(NamedTuple):
    """What is said about a control before it: the HTML, the ids that describe it, whether it is in error."""

    html: str
    described_by: str
    error: bool


def label(p: Params, say: Say) -> Markup:
    return finished(label_html(part(p), "nhsuk-label"))


def label_html(piece: Params, base: str, target: Any = None) -> str:
    if not piece:
        return ""
    size = piece.get("size")
    css = classes(base, f"{base}--{size}" if size in _SIZES else "", piece.get("classes"))
    pointed = maybe("for", piece.get("for") or target)
    opening = f'<label class="{css}"{maybe("id", piece.get("id"))}{pointed}{attributes(piece.get("attributes"))}>'
    whole = f"{opening}{words(piece)}{hidden_words(piece)}</label>"
    return f'<h1 class="{base}-wrapper">{whole}</h1>' if piece.get("isPageHeading") else whole


def hint(p: Params, say: Say) -> Markup:
    return finished(hint_html(part(p), None))


def hint_html(piece: Params, own_id: str | None, extra: str = "") -> str:
    css = classes("nhsuk-hint", extra, piece.get("classes"))
    ident = maybe("id", piece.get("id") or own_id)
    return f'<div class="{css}"{ident}{attributes(piece.get("attributes"))}>{words(piece)}</div>'


def error_message(p: Params, say: Say) -> Markup:
    return finished(error_html(part(p), None, say))


def error_html(piece: Params, own_id: str | None, say: Say) -> str:
    prefix = piece.get("visuallyHiddenText", say("Error"))
    spoken = f'<span class="nhsuk-u-visually-hidden">{escape(prefix)}: </span>' if prefix else ""
    css = classes("nhsuk-error-message", piece.get("classes"))
    ident = maybe("id", piece.get("id") or own_id)
    return f'<span class="{css}"{ident}{attributes(piece.get("attributes"))}>{spoken}{words(piece)}</span>'


def tell(p: Params, ident: Any, say: Say, described_by: str = "") -> Told:
    html, ids = "", [described_by] if described_by else []
    clue, error = part(p.get("hint")), part(p.get("errorMessage"))
    if clue:
        ids.append(str(clue.get("id") or f"{ident}-hint"))
        html += hint_html(clue, ids[-1])
    if error:
        ids.append(str(error.get("id") or f"{ident}-error"))
        html += error_html(error, ids[-1], say)
    return Told(html, " ".join(ids), bool(error) or p.get("errorMessage") is True)


def group(p: Params, inner: str, error: bool, extra: str = "") -> Markup:
    own = known(p.get("formGroup") or NOTHING, GROUP)
    css = classes("nhsuk-form-group", "nhsuk-form-group--error" if error else "", extra, own.get("classes"))
    return finished(f'<div class="{css}"{attributes(own.get("attributes"))}>{inner}</div>')


def _around(p: Params, control: str, say: Say, affixes: tuple[str, str] = ("", "")) -> str:
    own = p.get("formGroup") or NOTHING
    before, after = words(part(own.get("beforeInput"))), words(part(own.get("afterInput")))
    if not (before or after or affixes[0] or affixes[1]):
        return control
    return f'<div class="nhsuk-input-wrapper">{before}{affixes[0]}{control}{affixes[1]}{after}</div>'


def _affix(value: Any, side: str) -> str:
    piece = part(value)
    css = classes(f"nhsuk-input-wrapper__{side}", piece.get("classes"))
    return f'<div class="{css}" aria-hidden="true">{words(piece)}</div>' if piece else ""


def _spelling(p: Params) -> str:
    return maybe("spellcheck", str(p["spellcheck"]).lower()) if isinstance(p.get("spellcheck"), bool) else ""


def text_input(p: Params, say: Say) -> Markup:
    """One line of text: `name`, `label`, and `width` (2, 3, 4, 5, 10, 20, 30), `prefix`, `suffix`, `inputmode` …"""
    known(p, INPUT)
    ident = p.get("id") or p.get("name")
    told = tell(p, ident, say, p.get("describedBy") or "")
    control = _around(p, _input(p, told), say, (_affix(p.get("prefix"), "prefix"), _affix(p.get("suffix"), "suffix")))
    return group(p, f"{label_html(part(p.get('label')), 'nhsuk-label', ident)}{told.html}{control}", told.error)


def _input(p: Params, told: Told) -> str:
    width = p.get("width")
    css = classes(
        "nhsuk-input",
        "nhsuk-input--code" if p.get("code") else "",
        "nhsuk-input--error" if told.error else "",
        f"nhsuk-input--width-{width}" if width else "",
        p.get("classes"),
    )
    return (
        f'<input class="{css}"{maybe("id", p.get("id") or p.get("name"))}{maybe("name", p.get("name"))}'
        f' type="{escape(p.get("type") or "text")}"{_spelling(p)}{maybe("value", p.get("value"))}'
        f"{maybe('disabled', bool(p.get('disabled')))}{maybe('aria-describedby', told.described_by or None)}"
        f"{maybe('autocomplete', p.get('autocomplete'))}{maybe('autocapitalize', p.get('autocapitalize'))}"
        f"{maybe('pattern', p.get('pattern'))}{maybe('placeholder', p.get('placeholder'))}"
        f"{maybe('inputmode', p.get('inputmode'))}{attributes(p.get('attributes'))}>"
    )


def textarea(p: Params, say: Say) -> Markup:
    """Several lines of text, kept exactly as typed."""
    return _textarea(known(p, TEXTAREA), say, p.get("describedBy") or "")


def _textarea(p: Params, say: Say, described_by: str, css: str = "", extra: str = "", after: str = "") -> Markup:
    ident = p.get("id") or p.get("name")
    told = tell(p, ident, say, described_by)
    shape = classes("nhsuk-textarea", "nhsuk-textarea--error" if told.error else "", css, p.get("classes"))
    value = escape("" if p.get("value") is None else p["value"])
    control = (
        f'<textarea class="{shape}"{maybe("id", ident)}{maybe("name", p.get("name"))}'
        f' rows="{escape(p.get("rows") or 5)}"'
        f"{_spelling(p)}{maybe('disabled', bool(p.get('disabled')))}"
        f"{maybe('aria-describedby', told.described_by or None)}{maybe('autocomplete', p.get('autocomplete'))}"
        # a parser drops one line break after the opening tag: give it one of ours when the text begins with one
        f"{attributes(p.get('attributes'))}>{chr(10) if value[:1] in (chr(10), chr(13)) else ''}{value}</textarea>"
    )
    inner = f"{label_html(part(p.get('label')), 'nhsuk-label', ident)}{told.html}{_around(p, control, say)}{after}"
    return group(p, inner, told.error, extra)


COUNTED = {
    "characters-under-limit.one": "You have %{count} character remaining",
    "characters-under-limit.other": "You have %{count} characters remaining",
    "characters-at-limit": "You have 0 characters remaining",
    "characters-over-limit.one": "You have %{count} character too many",
    "characters-over-limit.other": "You have %{count} characters too many",
}
"""What the script of the library says while somebody types; it knows the English itself."""


def character_count(p: Params, say: Say) -> Markup:
    """A textarea that tells how many of `maxlength` characters are left (without script, how many there may be)."""
    known(p, CHARACTER_COUNT)
    ident, most = p.get("id") or p.get("name"), p["maxlength"]
    told = str(p.get("textareaDescriptionText") or say("You can enter up to %{count} characters"))
    info = hint_html({"text": told.replace("%{count}", str(most))}, f"{ident}-info", "nhsuk-character-count__message")
    own = dict(p.get("formGroup") or NOTHING)
    own["attributes"] = {
        "data-module": "nhsuk-character-count",
        "data-maxlength": most,
        "data-threshold": {"value": p.get("threshold"), "optional": True},
        **{f"data-i18n.{name}": said for name, text in COUNTED.items() if (said := say(text)) != text},
        **{f"data-i18n.{name}": text for name, text in (p.get("i18n") or NOTHING).items()},
        **(own.get("attributes") or NOTHING),
    }
    whole = {**p, "formGroup": own}
    return _textarea(whole, say, f"{ident}-info", "nhsuk-js-character-count", "nhsuk-character-count", info)


def select(p: Params, say: Say) -> Markup:
    """A drop-down of `items` (`value`, `text`, `selected`, `disabled`); `value` selects one of them."""
    known(p, SELECT)
    ident = p.get("id") or p.get("name")
    told = tell(p, ident, say, p.get("describedBy") or "")
    options = "".join(_option(item, p.get("value")) for item in p.get("items", ()) if item)
    css = classes("nhsuk-select", "nhsuk-select--error" if told.error else "", p.get("classes"))
    control = (
        f'<select class="{css}"{maybe("id", ident)}{maybe("name", p.get("name"))}'
        f"{maybe('disabled', bool(p.get('disabled')))}"
        f"{maybe('aria-describedby', told.described_by or None)}{attributes(p.get('attributes'))}>{options}</select>"
    )
    inner = f"{label_html(part(p.get('label')), 'nhsuk-label', ident)}{told.html}{_around(p, control, say)}"
    return group(p, inner, told.error)


def _option(item: Params, chosen: Any) -> str:
    by_value = filled(chosen) and item.get("value") == chosen and item.get("selected") is not False
    return (
        f"<option{maybe('value', item.get('value'))}{' selected' if item.get('selected') or by_value else ''}"
        f"{' disabled' if item.get('disabled') else ''}{attributes(item.get('attributes'))}>"
        f"{escape(item.get('text', ''))}</option>"
    )


def file_upload(p: Params, say: Say) -> Markup:
    """A file chooser; plain, without the library's drop zone."""
    known(p, FILE)
    ident = p.get("id") or p.get("name")
    told = tell(p, ident, say, p.get("describedBy") or "")
    css = classes("nhsuk-file-upload__input", "nhsuk-file-upload__input--error" if told.error else "", p.get("classes"))
    control = (
        f'<input class="{css}"{maybe("id", ident)}{maybe("name", p.get("name"))} type="file"'
        f"{maybe('multiple', bool(p.get('multiple')))}{maybe('disabled', bool(p.get('disabled')))}"
        f"{maybe('aria-describedby', told.described_by or None)}{attributes(p.get('attributes'))}>"
    )
    return group(p, f"{label_html(part(p.get('label')), 'nhsuk-label', ident)}{told.html}{control}", told.error)


def password_input(p: Params, say: Say) -> Markup:
    """A password with a button that shows it (with script only); `autocomplete` says which password."""
    known(p, PASSWORD)
    ident = p.get("id") or p.get("name")
    told = tell(p, ident, say, p.get("describedBy") or "")
    css = classes("nhsuk-password-input__input nhsuk-js-password-input-input", p.get("classes"))
    control = _input(
        {**p, "classes": css, "type": "password", "spellcheck": False, "autocapitalize": "none",
         "autocomplete": p.get("autocomplete") or "current-password"},
        told,
    )  # fmt: skip
    show = (
        '<button class="nhsuk-button nhsuk-button--secondary nhsuk-button--small nhsuk-password-input__toggle '
        'nhsuk-js-password-input-toggle" data-module="nhsuk-button" type="button" '
        f'aria-label="{escape(say("Show password"))}" aria-controls="{escape(ident)}" hidden>'
        f"{escape(say('Show'))}</button>"
    )
    own = dict(p.get("formGroup") or NOTHING)
    spoken = {
        "data-module": "nhsuk-password-input",
        "data-i18n.show-password": say("Show"),
        "data-i18n.hide-password": say("Hide"),
        "data-i18n.show-password-aria-label": say("Show password"),
        "data-i18n.hide-password-aria-label": say("Hide password"),
        "data-i18n.password-shown-announcement": say("Your password is visible"),
        "data-i18n.password-hidden-announcement": say("Your password is hidden"),
    }
    own["attributes"] = {**spoken, **(own.get("attributes") or NOTHING)}
    inner = (
        f"{label_html(part(p.get('label')), 'nhsuk-label', ident)}{told.html}"
        f'<div class="nhsuk-input-wrapper">{control}{show}</div>'
    )
    return group({**p, "formGroup": own}, inner, told.error, "nhsuk-password-input")
