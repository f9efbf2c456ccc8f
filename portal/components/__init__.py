"""The design system for templates: `ui.radios({…})`, `ui.button({…})` … with NHS.UK frontend's parameter names.

What pages use often we draw ourselves, element for element like the library's macros (the tests compare the two),
because those cost milliseconds each: a radio group of five 3.6 ms, ours 0.08. Everything else goes to the macros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from portal.components import blocks, choices, fields, library, lists
from portal.components.html import NOTHING, Params, Renderer, Say, UnknownParameter, UnsafeMarkup

__all__ = ["RENDERERS", "Components", "UnsafeMarkup"]

RENDERERS: dict[str, Renderer] = {
    "back_link": blocks.back_link,
    "breadcrumb": lists.breadcrumb,
    "breadcrumbs": lists.breadcrumb,
    "button": blocks.button,
    "card": blocks.card,
    "character_count": fields.character_count,
    "checkboxes": choices.checkboxes,
    "date_input": choices.date_input,
    "details": blocks.details,
    "error_message": fields.error_message,
    "error_summary": blocks.error_summary,
    "fieldset": choices.fieldset,
    "file_upload": fields.file_upload,
    "hint": fields.hint,
    "input": fields.text_input,
    "inset_text": blocks.inset_text,
    "label": fields.label,
    "legend": choices.legend,
    "notification_banner": blocks.notification_banner,
    "password_input": fields.password_input,
    "radios": choices.radios,
    "select": fields.select,
    "skip_link": blocks.skip_link,
    "summary_list": lists.summary_list,
    "table": lists.table,
    "tag": blocks.tag,
    "task_list": lists.task_list,
    "textarea": fields.textarea,
    "warning_callout": blocks.warning_callout,
}


class Components:
    """`ui` in templates. `translate` turns the few words that components bring along into the reader's language."""

    def __init__(self, translate: Say = str) -> None:
        self._translate = translate

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        if name.startswith("_"):
            raise AttributeError(name)
        drawn = self._bind(name)
        self.__dict__[name] = drawn
        return drawn

    def _bind(self, name: str) -> Callable[..., Markup]:
        quick = RENDERERS.get(name)

        def draw(params: Params = NOTHING, **more: Any) -> Markup:
            whole = {**params, **more}
            if quick:
                try:
                    return quick(whole, self._translate)
                except UnknownParameter:
                    pass
            return library.render(name, whole)

        return draw
