"""A form page: one field for each question on it, from a table of control to field; the engine reads what was typed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from markupsafe import Markup
from werkzeug.datastructures import CombinedMultiDict, MultiDict

from portal import guard
from portal.intake import problems, showing, wording
from portal.intake.drawn import Drawing, Macro
from portal.intake.fields import AnswerField, field_type, width
from portal.intake.filling import digest
from portal.questionnaire import Issue, Node
from portal.questionnaire.nodes import questions
from portal.questionnaire.richtext import unmarked
from portal.questionnaire.speaking import say

Json = dict[str, Any]
Sent = MultiDict[str, Any]


class PageForm:
    """The fields of one page, and what every form page carries besides its questions. `sent`: what came in, if anything did."""

    def __init__(self, asked: Iterable[Node], language: str, zone: ZoneInfo, sent: Sent | None) -> None:
        self.language, self.gap = language, ""
        self.on_page = frozenset[str]()
        """marks of boxes that a script has on its page already"""
        self._fields = {node.name: field_type(node)(node, language, zone, sent) for node in asked}
        self.posted = sent is not None
        """whether the fields show what came in, some of it perhaps not to be saved"""
        self._version = str(sent.get("version", "")) if sent else ""
        self._shown = str(sent.get("shown", "")) if sent else ""

    def __iter__(self) -> Iterator[AnswerField]:
        return iter(self._fields.values())

    def __getitem__(self, name: str) -> AnswerField:
        return self._fields[name]

    # what the templates ask about a node
    of_the_unit = staticmethod(problems.of_the_unit)
    entry_format = staticmethod(showing.entry_format)
    picture = staticmethod(showing.picture)
    links = staticmethod(showing.links)
    plain = staticmethod(unmarked)
    has_answers = staticmethod(showing.has_answers)
    written_in = staticmethod(showing.written_in)
    sentences = staticmethod(showing.sentences)
    share = staticmethod(showing.share)
    width = staticmethod(width)
    filled_in = staticmethod(wording.filled_in)

    def draw(self, nodes: Iterable[Node], page_title: str, macro: Macro) -> Markup:
        """What stands on the page, by the macros, which are asked only for what was not drawn before."""
        self._drawing = Drawing(self, self.language, macro, self.on_page)
        return self._drawing.blocks(nodes, page_title)

    def told(self, node: Node) -> str:
        """The answers of what a person cannot change, in words; or the gap, while one is drawn."""
        return self.gap or ", ".join(say(answer, self.language) for answer in node.answers)

    def one(self, node: Node, row: str) -> Markup:
        """A question or a part that stands in a cell of a table."""
        return self._drawing.one(node, row)

    def names(self) -> list[str]:
        """The field names of the questions on the page."""
        return list(self._fields)

    def all_optional(self) -> bool:
        """Whether there are questions and none of them must be answered."""
        needed = [field.node.required for field in self]
        return bool(needed) and not any(needed)

    def digests(self, still_shown: Mapping[str, list[Json]] | None = None) -> str:
        """What each question's answers are as the page shows them, to come back with the post (name:digest,…).

        `still_shown` are those that the browser keeps on its page whatever is stored by now: a fragment does not
        overwrite what stands in an input, so what was changed elsewhere has not been seen there yet.
        """
        shown = {field.name: field.node.answers for field in self}
        kept = {name: answers for name, answers in (still_shown or {}).items() if name in shown}
        return ",".join(f"{name}:{digest(answers)}" for name, answers in {**shown, **kept}.items())

    def seen(self) -> dict[str, str]:
        """The digests that came back."""
        pairs = [pair.partition(":") for pair in self._version.split(",")]
        return {name: known for name, _, known in pairs if name and known}

    def answers(self) -> tuple[dict[str, list[Json]], list[Issue]]:
        """The answers of every question that stood on the page, by field name, and what could not be read."""
        on_page = set(self._shown.split(","))
        found: dict[str, list[Json]] = {}
        issues: list[Issue] = []
        for field in self:
            if field.name in on_page:
                found[field.name], wrong = field.answers()
                issues += wrong
        unread = {issue.name for issue in issues if not self[issue.name].keeps_the_rest}
        return {name: answers for name, answers in found.items() if name not in unread}, issues


def page_form(nodes: Iterable[Node], language: str, sent: Sent | None, zone: ZoneInfo | None = None) -> PageForm:
    """The form of one page; field names are the engine's node names. `zone` (else the clinic's): of times typed."""
    asked = [node for node in questions(nodes) if not node.read_only]
    return PageForm(asked, language, zone or _clinic_zone(), sent)


def posted_fields() -> Sent:
    """What was posted, files among it."""
    return CombinedMultiDict((request.files, request.form)) if request.files else request.form


def _clinic_zone() -> ZoneInfo:
    live = guard.viewer()
    return ZoneInfo(live.clinic.timezone if live else "UTC")
