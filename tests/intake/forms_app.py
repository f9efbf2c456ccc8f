"""The portal over any questionnaires: a patient signed in, whose visit asks for exactly these forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

import portal
from portal import db
from portal.questionnaire import Form, load
from tests import make
from tests.conftest import csrf
from tests.library import shelf

EMAIL = "ana@example.org"
Json = dict[str, Any]


def put_in(clinic_id: str, forms: Mapping[str, Form]) -> None:
    """The clinic asks for exactly these forms, whatever it asked for before; the address of each is its slug."""
    shelf.take_everything_off(clinic_id)
    for number, (slug, form) in enumerate(forms.items(), 1):
        shelf.put(clinic_id, slug, form, number)


@dataclass
class FormsApp:
    """`client` is signed in as the patient of `visit_id`."""

    app: Flask
    client: FlaskClient
    visit_id: str
    clinic_id: str

    def use(self, forms: Mapping[str, Json], registry: Mapping[str, Json] | None = None) -> None:
        """The visit asks for these forms now. FormRefused when one of them is."""
        put_in(self.clinic_id, {slug: load(raw, registry=registry or {}) for slug, raw in forms.items()})

    def path(self, slug: str, page: str = "") -> str:
        return f"/visits/{self.visit_id}/forms/{slug}" + (f"/{page}" if page else "")

    def open(self, slug: str, page: str = "") -> Page:
        """A page of a form (its first open one without `page`)."""
        answer = self.client.get(self.path(slug, page), follow_redirects=True)
        return Page(answer.status_code, answer.get_data(as_text=True), answer.request.path)

    def post(self, page: Page, step: str = "update", changes: Mapping[str, Any] | None = None, **pressed: str) -> Page:
        """The page sent back as a browser would, with some inputs changed; what comes then, redirects followed."""
        data = page.sent(changes or {})
        answer = self.client.post(
            page.path,
            data={**data, **(pressed or {"step": step})},
            content_type="multipart/form-data",
            follow_redirects=True,
        )
        return Page(answer.status_code, answer.get_data(as_text=True), answer.request.path)


@contextmanager
def forms_app(instance: Path, forms: Mapping[str, Form]) -> Iterator[FormsApp]:
    """A portal of its own in the folder `instance`, whose only clinic asks for these forms."""
    app = portal.create_app(make.settings(instance, f"sqlite:///{instance / 'previsit.db'}"))
    try:
        with app.app_context():
            db.migrate()
            clinic = make.clinic(forms=())
            person = make.patient(clinic)
            make.patient_account(person, EMAIL)
            visit_id, clinic_id = make.visit(person).id, clinic.id
        put_in(clinic_id, forms)
        client = app.test_client()
        path = "/at/riverside/sign-in"
        sent = {"email": EMAIL, "password": make.PASSWORD, "csrf_token": csrf(client, path)}
        assert client.post(path, data=sent).status_code == 303
        yield FormsApp(app, client, visit_id, clinic_id)
    finally:
        db.close()
        db.dispose()


VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass
class Control:
    """One input, select or textarea as it stands on the page."""

    kind: str
    name: str
    value: str
    ident: str
    on: bool = True
    labelled: bool = False
    legend: str = ""
    options: list[tuple[str, bool]] = field(default_factory=list)
    attributes: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Page:
    """What a browser would have of a page: its controls with their names, ids and what they would send."""

    status: int
    html: str
    path: str = ""

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.html)
        reader.close()
        self.controls = reader.finished()
        self.ids, self.links, self.tags = reader.ids, reader.links, reader.tags
        self.labels, self.text = reader.labels, " ".join("".join(reader.text).split())
        self.tables = reader.tables

    def named(self, name: str) -> list[Control]:
        return [control for control in self.controls if control.name == name]

    def sent(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What the form on the page posts: every control that is on, by name; `changes` in place of what stands there."""
        data: dict[str, Any] = {}
        for control in self.controls:
            if not control.name or control.kind in ("submit", "button", "file") or control.name in ("language", "next"):
                continue
            if control.kind in ("checkbox", "radio") and not control.on:
                continue
            data.setdefault(control.name, []).append(control.value)
        return {**data, **{name: value if isinstance(value, list) else [value] for name, value in changes.items()}}


class _Reader(HTMLParser):
    """Reads a page as far as forms need it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.labels: dict[str, str] = {}
        self.text: list[str] = []
        self.tables = 0
        self._controls: list[Control] = []
        self._open: list[str] = []
        self._legends: list[str] = []
        self._label: str | None = None
        self._area: Control | None = None
        self._option: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag not in VOID:
            self._open.append(tag)
        begun = getattr(self, f"_begin_{tag}", None)
        if begun:
            begun(found)

    def _begin_a(self, found: dict[str, str | None]) -> None:
        self.links.append(str(found.get("href") or ""))

    def _begin_table(self, found: dict[str, str | None]) -> None:
        self.tables += 1

    def _begin_fieldset(self, found: dict[str, str | None]) -> None:
        self._legends.append("")

    def _begin_label(self, found: dict[str, str | None]) -> None:
        self._label = str(found.get("for") or "")
        self.labels.setdefault(self._label, "")

    def _begin_input(self, found: dict[str, str | None]) -> None:
        self._add(
            str(found.get("type") or "text"),
            str(found.get("value") or ("on" if found.get("type") == "checkbox" else "")),
            found,
        )

    def _begin_button(self, found: dict[str, str | None]) -> None:
        self._add(str(found.get("type") or "submit"), str(found.get("value") or ""), found)

    def _begin_textarea(self, found: dict[str, str | None]) -> None:
        self._area = self._add("textarea", "", found)

    def _begin_select(self, found: dict[str, str | None]) -> None:
        self._add("select", "", found)

    def _begin_option(self, found: dict[str, str | None]) -> None:
        if "select" in self._open:
            self._controls[-1].options.append((str(found.get("value") or ""), "selected" in found))

    def _add(self, kind: str, value: str, found: dict[str, str | None]) -> Control:
        on = "checked" in found and "disabled" not in found if kind in ("checkbox", "radio") else True
        legend = " / ".join(filter(None, self._legends))
        made = Control(
            kind, str(found.get("name") or ""), value, str(found.get("id") or ""), on, legend=legend, attributes=found
        )
        self._controls.append(made)
        return made

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data
            return
        self.text.append(data)
        if self._label is not None:
            self.labels[self._label] += data
        if "legend" in self._open and self._legends:
            self._legends[-1] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            self._area.value = self._area.value.removeprefix("\n").replace("\n", "\r\n")
            self._area = None
        if tag == "label":
            self._label = None
        if tag == "fieldset" and self._legends:
            self._legends.pop()
        if tag in self._open:
            while self._open and self._open.pop() != tag:
                pass

    def finished(self) -> list[Control]:
        for control in self._controls:
            control.labelled = bool(self.labels.get(control.ident, "").strip() or control.attributes.get("aria-label"))
            if control.kind == "select":
                chosen = [value for value, selected in control.options if selected]
                control.value = chosen[0] if chosen else control.options[0][0] if control.options else ""
            if control.kind not in ("textarea", "radio", "checkbox", "hidden", "submit"):
                control.value = control.value.replace("\r", "").replace("\n", "")
        return self._controls
