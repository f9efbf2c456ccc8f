"""A form page as WTForms: one field for each question on it, from a table of control to field; the engine reads what was typed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import HiddenField

from portal import guard
from portal.intake import showing
from portal.intake.fields import AnswerField, field_type, width
from portal.intake.filling import digest
from portal.questionnaire import Issue, Node

Json = dict[str, Any]


class PageForm(FlaskForm):  # type: ignore[misc]
    """What every form page carries besides its questions."""

    version = HiddenField()
    shown = HiddenField()
    step = HiddenField()

    # what the templates ask about a node
    blocks = staticmethod(showing.blocks)
    picture = staticmethod(showing.picture)
    links = staticmethod(showing.links)
    plain = staticmethod(showing.plain)
    has_answers = staticmethod(showing.has_answers)
    written_in = staticmethod(showing.written_in)
    share = staticmethod(showing.share)
    width = staticmethod(width)

    def names(self) -> list[str]:
        """The field names of the questions on the page."""
        return [field.name for field in self if isinstance(field, AnswerField)]

    def all_optional(self) -> bool:
        """Whether there are questions and none of them must be answered."""
        needed = [field.node.required for field in self if isinstance(field, AnswerField)]
        return bool(needed) and not any(needed)

    def digests(self, still_shown: Mapping[str, list[Json]] | None = None) -> str:
        """What each question's answers are as the page shows them, to come back with the post (name:digest,…).

        `still_shown` are those that the browser keeps on its page whatever is stored by now: a fragment does not
        overwrite what stands in an input, so what was changed elsewhere has not been seen there yet.
        """
        shown = {field.name: field.node.answers for field in self if isinstance(field, AnswerField)}
        kept = {name: answers for name, answers in (still_shown or {}).items() if name in shown}
        return ",".join(f"{name}:{digest(answers)}" for name, answers in {**shown, **kept}.items())

    def seen(self) -> dict[str, str]:
        """The digests that came back."""
        pairs = [pair.partition(":") for pair in (self.version.data or "").split(",")]
        return {name: known for name, _, known in pairs if name and known}

    def answers(self) -> tuple[dict[str, list[Json]], list[Issue]]:
        """The answers of every question that stood on the page, by field name, and what could not be read."""
        on_page = set((self.shown.data or "").split(","))
        found: dict[str, list[Json]] = {}
        issues: list[Issue] = []
        for field in self:
            if isinstance(field, AnswerField) and field.name in on_page:
                found[field.name], wrong = field.answers()
                issues += wrong
        unread = {issue.name for issue in issues}
        return {name: answers for name, answers in found.items() if name not in unread}, issues


def page_form(nodes: Iterable[Node], language: str, zone: ZoneInfo | None = None) -> type[PageForm]:
    """The form class of one page; field names are the engine's node names. `zone` (else the clinic's): of times typed."""
    here = zone or _clinic_zone()
    fields = {
        node.name: field_type(node)(node=node, language=language, zone=here)
        for node in questions(nodes)
        if not node.read_only
    }
    return type("QuestionsForm", (PageForm,), fields)


def _clinic_zone() -> ZoneInfo:
    live = guard.viewer()
    return ZoneInfo(live.clinic.timezone if live else "UTC")


def questions(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every question among the nodes, in order, however deep."""
    for node in nodes:
        if node.type not in {"group", "display"}:
            yield node
        yield from questions(node.children)
