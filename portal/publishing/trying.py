"""A form tried out by its author: the same engine as for a patient, nobody's data, and nothing kept on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import simplejson

from portal.actors import Actor
from portal.clock import now
from portal.fhir import exact
from portal.library import service as library
from portal.questionnaire import Context, Filling, Form, Issue, populate

Json = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A form with what its author has typed so far. `page_key` is "" after the last page."""

    form: Form
    filling: Filling
    language: str
    page_key: str

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.filling.pages]

    def at(self, page_key: str) -> Trial:
        """The same at this page, or at the first one when that is not asked."""
        keys = self.keys
        return replace(self, page_key=page_key if page_key in keys else keys[0] if keys else "")

    def after(self) -> Trial:
        """The same at the page that follows; at the end after the last."""
        keys = self.keys
        place = keys.index(self.page_key) + 1 if self.page_key in keys else len(keys)
        return replace(self, page_key=keys[place] if place < len(keys) else "")

    def before(self) -> Trial:
        """The same at the page before this one; from the end at the last."""
        keys = self.keys
        place = keys.index(self.page_key) if self.page_key in keys else len(keys)
        return replace(self, page_key=keys[max(0, place - 1)] if keys else "")

    def answered(self, answers: Mapping[str, list[Json]], repeat: tuple[str, str] | None) -> Trial:
        filled = self.filling.answer(answers)
        if repeat:
            verb, name = repeat
            filled = filled.add(name) if verb == "add" else filled.remove(name)
        return replace(self, filling=filled)

    def wrong(self) -> list[Issue]:
        """What a patient would have to mend before leaving this page."""
        return [issue for issue in self.filling.check(self.page_key) if issue.severity == "error"]

    @property
    def state(self) -> str:
        """What was typed, as text that `resumed` reads."""
        return exact.dumps(self.filling.draft())

    @property
    def response(self) -> str:
        """What a clinic would get for it, as JSON to read."""
        made = self.filling.response("completed", authored=now().isoformat(timespec="seconds"))
        return simplejson.dumps(made, use_decimal=True, indent=2, ensure_ascii=False)


def begun(actor: Actor, version_id: str, language: str) -> Trial:
    """An empty form at its first page, prefilled as far as that needs no record."""
    form = library.compiled_for_staff(actor, version_id)
    context = _context(actor, language)
    return Trial(form, Filling(form, populate(form, context), context), language, "").at("")


def resumed(actor: Actor, version_id: str, language: str, state: str, page_key: str) -> Trial:
    """The form with what `Trial.state` gave; only for text that is known to be ours."""
    form = library.compiled_for_staff(actor, version_id)
    filling = Filling(form, exact.loads(state), _context(actor, language))
    return Trial(form, filling, language, page_key)


def _context(actor: Actor, language: str) -> Context:
    return Context(now=now(), language=language, terminology=library.KeptLists(actor.clinic_id))
