"""A form page as WTForms: one field for each question on it, from a table of control to field; the engine reads what was typed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from markupsafe import Markup
from wtforms import HiddenField
from wtforms.i18n import DummyTranslations

from portal import guard
from portal.intake import showing
from portal.intake.drawn import Drawing, Macro
from portal.intake.fields import AnswerField, field_type, width
from portal.intake.filling import digest
from portal.questionnaire import Issue, Node
from portal.questionnaire.speaking import say

Json = dict[str, Any]
_NONE = DummyTranslations()


class PageForm(FlaskForm):  # type: ignore[misc]
    """What every form page carries besides its questions."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf = False
        """the guard has looked at it, as at every post"""

        def get_translations(self, form: Any) -> DummyTranslations:
            """Its words are the engine's and the templates'."""
            return _NONE

    version = HiddenField()
    shown = HiddenField()
    step = HiddenField()

    def __init__(self, asked: list[Node], language: str, zone: ZoneInfo, formdata: Any = _Auto, **more: Any) -> None:
        self._asked, self.language, self._zone, self.gap = asked, language, zone, ""
        super().__init__(formdata, **more)

    def process(self, *given: Any, **more: Any) -> None:
        """With a field for each question: made here and not as a class, for no two pages are the same."""
        for node in self._asked:
            made = field_type(node)
            self._fields[node.name] = made(
                node=node, language=self.language, zone=self._zone, name=node.name, _form=self, _meta=self.meta
            )
        super().process(*given, **more)

    # what the templates ask about a node
    picture = staticmethod(showing.picture)
    links = staticmethod(showing.links)
    plain = staticmethod(showing.plain)
    has_answers = staticmethod(showing.has_answers)
    written_in = staticmethod(showing.written_in)
    share = staticmethod(showing.share)
    width = staticmethod(width)

    def draw(self, nodes: Iterable[Node], page_title: str, macro: Macro) -> Markup:
        """What stands on the page, by the macros, which are asked only for what was not drawn before."""
        self._drawing = Drawing(self, self.language, macro)
        return self._drawing.blocks(nodes, page_title)

    def told(self, node: Node) -> str:
        """The answers of what a person cannot change, in words; or the gap, while one is drawn."""
        return self.gap or ", ".join(say(answer, self.language) for answer in node.answers)

    def one(self, node: Node, row: str) -> Markup:
        """A question or a part that stands in a cell of a table."""
        return self._drawing.one(node, row)

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


def page_form(nodes: Iterable[Node], language: str, zone: ZoneInfo | None = None) -> Callable[..., PageForm]:
    """The form of one page; field names are the engine's node names. `zone` (else the clinic's): of times typed."""
    asked = [node for node in questions(nodes) if not node.read_only]
    return partial(PageForm, asked, language, zone or _clinic_zone())


def _clinic_zone() -> ZoneInfo:
    live = guard.viewer()
    return ZoneInfo(live.clinic.timezone if live else "UTC")


def questions(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every question among the nodes, in order, however deep."""
    for node in nodes:
        if node.type not in {"group", "display"}:
            yield node
        yield from questions(node.children)
