"""A form page as WTForms: one field for each question on it, from a table of control to field; the engine reads what was typed."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage, MultiDict
from wtforms import Field, HiddenField

from portal.intake.filling import digest
from portal.questionnaire import Issue, Node
from portal.questionnaire import parse as engine
from portal.questionnaire.speaking import say

Typed = str | Mapping[str, str]
Json = dict[str, Any]


class AnswerField(Field):  # type: ignore[misc]
    """One question's inputs, all of the same name. `typed` is what came in; `slots` is what stands in the inputs."""

    def __init__(self, label: str = "", *, node: Node, language: str, **more: Any) -> None:
        super().__init__(label, **more)
        self.node, self.language = node, language
        self.typed: list[Typed] = []
        self.posted = False

    def process(self, formdata: MultiDict[str, str] | None, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: list[str] = []
        self.data = data
        if formdata is not None:
            self.typed, self.posted = list(self.read(formdata)), True

    def read(self, formdata: MultiDict[str, str]) -> Iterator[Typed]:
        yield from formdata.getlist(self.name)

    def answers(self) -> tuple[list[Json], list[Issue]]:
        """FHIR answers, and an issue for each input that is no answer."""
        return engine.answer(self.node, self.typed, self.language)

    def slots(self) -> list[Any]:
        """What stands in each input, typed or stored; as many as there are inputs to draw."""
        stored = self.typed if self.posted else [self.stored(answer) for answer in self.node.answers]
        return [*stored, *[self.empty()] * max(0, self.node.slots - len(stored))] or [self.empty()]

    def stored(self, answer: Json) -> Typed:
        return say(answer, self.language)

    def empty(self) -> Typed:
        return ""


class ChoiceField(AnswerField):
    """Radios, check boxes, a list: the keys chosen, and the person's own words where the choice is open."""

    def read(self, formdata: MultiDict[str, str]) -> Iterator[Typed]:
        chosen = [key for key in formdata.getlist(self.name) if key != "open"]
        own = [text for text in formdata.getlist(f"{self.name}-open") if text.strip()]
        yield from chosen
        if self.node.open and ("open" in formdata.getlist(self.name) or (own and not chosen) or self.node.repeats):
            yield from own

    def stored(self, answer: Json) -> Typed:
        return next((option.key for option in self.node.options if option.value == answer), say(answer, self.language))

    @property
    def own_words(self) -> list[str]:
        """What is not one of the options."""
        keys = {option.key for option in self.node.options}
        return [str(text) for text in self.slots() if text and text not in keys]

    @property
    def chosen(self) -> frozenset[str]:
        posted = {str(key) for key in self.typed} if self.posted else set()
        return frozenset(posted or {option.key for option in self.node.options if option.selected and not self.posted})


class YesNoField(AnswerField):
    def stored(self, answer: Json) -> Typed:
        return str(answer.get("valueBoolean", "")).lower()


class PartsField(AnswerField):
    """Answers of several inputs each, such as a number and its unit."""

    parts: tuple[str, ...] = ()

    def read(self, formdata: MultiDict[str, str]) -> Iterator[Typed]:
        columns = [formdata.getlist(f"{self.name}-{part}") for part in self.parts]
        for row in range(max(map(len, columns), default=0)):
            yield {
                part: column[row] if row < len(column) else "" for part, column in zip(self.parts, columns, strict=True)
            }

    def empty(self) -> Typed:
        return dict.fromkeys(self.parts, "")


class QuantityField(PartsField):
    parts = ("number", "unit")

    def stored(self, answer: Json) -> Typed:
        quantity = answer.get("valueQuantity", {})
        number = say({"valueDecimal": quantity["value"]}, self.language) if "value" in quantity else ""
        unit = next(
            (each.key for each in self.node.units if each.value["valueCoding"].get("code") == quantity.get("code")), ""
        )
        return {"number": number, "unit": unit or quantity.get("unit", "")}


class DateTimeField(PartsField):
    parts = ("date", "time")

    def stored(self, answer: Json) -> Typed:
        date, _, clock = str(answer.get("valueDateTime", "")).partition("T")
        return {"date": say({"valueDate": date}, self.language) if date else "", "time": clock[:5]}


class FileField(AnswerField):
    """Files chosen now, as base64 inside the answer; those kept before stay unless they are taken away."""

    def read(self, formdata: MultiDict[str, Any]) -> Iterator[Typed]:
        kept = set(formdata.getlist(f"{self.name}-kept"))
        for place, answer in enumerate(self.node.answers):
            if str(place) in kept:
                yield {key: str(value) for key, value in answer.get("valueAttachment", {}).items()}
        for file in formdata.getlist(self.name):
            if isinstance(file, FileStorage) and file.filename:
                yield _attachment(file)

    def stored(self, answer: Json) -> Typed:
        return {key: str(value) for key, value in answer.get("valueAttachment", {}).items()}

    def slots(self) -> list[Any]:
        return [self.stored(answer) for answer in self.node.answers]


def _attachment(file: FileStorage) -> dict[str, str]:
    content = file.read()
    return {
        "contentType": file.mimetype,
        "title": (file.filename or "").replace("\\", "/").rsplit("/", maxsplit=1)[-1][:200],
        "size": str(len(content)),
        "data": b64encode(content).decode(),
    }


FIELDS: dict[str, type[AnswerField]] = {
    "radios": ChoiceField,
    "checkboxes": ChoiceField,
    "select": ChoiceField,
    "autocomplete": ChoiceField,
    "yesno": YesNoField,
    "quantity": QuantityField,
    "datetime": DateTimeField,
    "attachment": FileField,
}


class PageForm(FlaskForm):  # type: ignore[misc]
    """What every form page carries besides its questions."""

    version = HiddenField()
    shown = HiddenField()
    step = HiddenField()

    def names(self) -> list[str]:
        """The field names of the questions on the page."""
        return [field.name for field in self if isinstance(field, AnswerField)]

    def digests(self) -> str:
        """What each question's answers are as the page shows them, to come back with the post (name:digest,…)."""
        return ",".join(
            f"{field.name}:{digest(field.node.answers)}" for field in self if isinstance(field, AnswerField)
        )

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


def page_form(nodes: Iterable[Node], language: str) -> type[PageForm]:
    """The form class of one page; field names are the engine's node names."""
    fields = {
        node.name: FIELDS.get(node.control, AnswerField)(node=node, language=language)
        for node in questions(nodes)
        if not node.read_only
    }
    return type("QuestionsForm", (PageForm,), fields)


def questions(nodes: Iterable[Node]) -> Iterator[Node]:
    """Every question among the nodes, in order, however deep."""
    for node in nodes:
        if node.type not in {"group", "display"}:
            yield node
        yield from questions(node.children)
