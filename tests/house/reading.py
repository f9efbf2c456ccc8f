"""Reads our pages as a browser would: the elements, the text a person sees, and the forms with what they would post."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient

SILENT = {"script", "style", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Sheet:
    """A form of a page: where it goes and what stands in it. `typed` are the boxes a person may write in."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)
    """What can be chosen under a name."""

    def filled(self, **changes: str) -> list[tuple[str, str]]:
        """What is posted when the boxes hold `changes` (and stay as they are otherwise)."""
        kept = [(name, changes.get(name, value)) for name, value in self.fields]
        return kept + [(name, value) for name, value in changes.items() if name not in dict(kept)]


class Page(HTMLParser):
    """One page, parsed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.forms: list[Sheet] = []
        self._silent = 0
        self._area: str | None = None
        self._select: str | None = None
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def posts(self) -> list[Sheet]:
        return [form for form in self.forms if form.method == "post"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.elements.append((tag, held))
        if tag in SILENT:
            self._silent += 1
        if tag == "form":
            self.forms.append(Sheet(held.get("action", ""), held.get("method", "get").lower()))
        elif self.forms and held.get("name"):
            self._control(tag, held)
        elif tag == "option" and self._select:
            self.forms[-1].options.setdefault(self._select, []).append(held.get("value", ""))
            if "selected" in held:
                self.forms[-1].fields.append((self._select, held.get("value", "")))

    def _control(self, tag: str, held: dict[str, str]) -> None:
        form, name, kind = self.forms[-1], held["name"], held.get("type", "text")
        if tag == "button" or kind in {"submit", "image"}:
            form.buttons.append((name, held.get("value", "")))
        elif tag == "select":
            self._select = name
            form.typed.append(name)
        elif tag == "textarea":
            self._area = name
            form.fields.append((name, ""))
            form.typed.append(name)
        elif tag == "input" and kind in {"radio", "checkbox"}:
            form.typed += [] if name in form.typed else [name]
            form.options.setdefault(name, []).append(held.get("value", "on"))
            if "checked" in held:
                form.fields.append((name, held.get("value", "on")))
        elif tag == "input":
            form.fields.append((name, held.get("value", "")))
            form.typed += [] if kind == "hidden" else [name]

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent -= 1
        self._area = None if tag == "textarea" else self._area
        self._select = None if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)
        if self._area is not None:
            form = self.forms[-1]
            form.fields[-1] = (self._area, form.fields[-1][1] + data)


def page(client: FlaskClient, path: str) -> Page:
    return Page(client.get(path).get_data(as_text=True))
