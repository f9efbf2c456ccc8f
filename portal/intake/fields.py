"""One field for each kind of control: what its inputs show, what came in, and the answers that makes.

An input that comes back as it was shown keeps its stored answer to the last digit: seconds, units, codes that no input shows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from werkzeug.datastructures import FileStorage, MultiDict

from portal.components.html import finished
from portal.intake import files
from portal.intake.filling import digest
from portal.pages import words
from portal.questionnaire import Issue, Node, Option
from portal.questionnaire import parse as engine
from portal.questionnaire.options import key_of
from portal.questionnaire.richtext import unmarked
from portal.questionnaire.speaking import absent_reason, say

Typed = str | Mapping[str, str]
Json = dict[str, Any]
Read = tuple[list[Json], list[Issue]]


CLUED = frozenset({"date", "datetime", "time", "slider", "attachment", "autocomplete"})
"""Controls that always say how they want to be answered."""


class AnswerField:
    """One question's inputs, all of the same name. `typed` is what came in; `slots` is what stands in the inputs."""

    keeps_the_rest: ClassVar[bool] = False
    """whether what could be read is kept beside what could not"""

    def __init__(self, node: Node, language: str, zone: ZoneInfo, sent: MultiDict[str, Any] | None) -> None:
        self.node, self.name, self.language, self.zone, self.gap = node, node.name, language, zone, ""
        self.posted = sent is not None
        self.typed: list[Typed] = [] if sent is None else list(self.read(sent))
        self.declined = "" if sent is None else str(sent.get(f"{self.name}-absent", ""))

    def read(self, sent: MultiDict[str, str]) -> Iterator[Typed]:
        yield from sent.getlist(self.name)

    def answers(self) -> Read:
        """FHIR answers, and an issue for each input that is no answer."""
        left = [(_bare(self.stored(answer)), answer) for answer in self.node.answers]
        if declined := self._declined(left):
            return declined
        found: list[Json] = []
        issues: list[Issue] = []
        for typed in self.typed[: engine.MAX_ANSWERS]:
            same = next((pair for pair in left if pair[0] == _bare(typed) and not _is_empty(typed)), None)
            if same:
                left.remove(same)
                found.append(same[1])
                continue
            answers, wrong = self.parse(typed)
            found += answers
            issues += wrong
        return self.in_order(found), issues

    def in_order(self, found: list[Json]) -> list[Json]:
        return found

    def parse(self, typed: Typed) -> Read:
        return engine.answer(self.node, [typed], self.language)

    def _declined(self, stored: list[tuple[Typed, Json]]) -> Read | None:
        """The reason ticked instead of an answer; what was typed since wins over a tick that stood there before."""
        chosen = next((option for option in self.node.absent if option.key == self.declined), None)
        typed = any(not _is_empty(one) for one in self.typed)
        if chosen is None or (typed and self.absent_key):
            return None
        answers, issues = engine.answer(self.node, chosen.key, self.language)
        kept = [answer for _, answer in stored if absent_reason(answer) == _code(chosen)]
        return kept or answers, issues

    @property
    def absent_key(self) -> str:
        """The key of the reason that stands stored in place of an answer, or ""."""
        reasons = {absent_reason(answer) for answer in self.node.answers} - {""}
        return next((option.key for option in self.node.absent if _code(option) in reasons), "")

    @property
    def absent_now(self) -> str:
        return self.declined if self.posted else self.absent_key

    def named(self, row: str = "") -> Markup:
        """The question as the name of its inputs; in a table together with its row."""
        node = self.node
        offered = (node.text, node.short_text, node.prompt, node.help)
        text = next((escape(each) for each in offered if unmarked(each).strip()), _unseen(words("Your answer")))
        place = f" {node.instance + 1}" if node.instance is not None and node.instances > 1 else ""
        said = f"{escape(node.prefix)} " if node.prefix else ""
        said += f"{text}{place}"
        if node.unit:
            said += _unseen(f" ({node.unit})")
        if node.required:
            said += f' <span class="pv-required">({escape(words("required"))})</span>'
        if row.strip():
            said += _unseen(f", {row}")
        return finished(said)

    @property
    def clued(self) -> bool:
        """Whether there is something to say between the question and its inputs."""
        node = self.node
        said = node.help or node.instruction or node.flyover or node.prompt or node.entry_format or node.lower
        return bool(said or node.upper or node.origin or node.control in CLUED)

    @property
    def followed(self) -> bool:
        """Whether something stands after the inputs: longer help, legal words, a picture, further reading."""
        node = self.node
        return bool(node.legal or node.media or node.links or len(node.help) > 300)

    def slots(self) -> list[Any]:
        """What stands in each input, typed or stored; as many as there are inputs to draw. Or the gap, while one is drawn."""
        if self.gap:
            return [self.gap]
        answers = [answer for answer in self.node.answers if not absent_reason(answer)]
        stored = self.typed if self.posted else [self.stored(answer) for answer in answers]
        return [*stored, *[self.empty()] * max(0, self.node.slots - len(stored))] or [self.empty()]

    def stored(self, answer: Json) -> Typed:
        return say(answer, self.language)

    def empty(self) -> Typed:
        return ""


def _unseen(text: str) -> str:
    """Words for those who listen."""
    return f'<span class="nhsuk-u-visually-hidden">{escape(text)}</span>'


def _code(option: Option) -> str:
    return str(option.value.get("valueCoding", {}).get("code") or "")


def _bare(typed: Typed) -> Typed:
    """What was typed as browsers give it back: without carriage returns and outer spaces."""
    if isinstance(typed, str):
        return typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    return {name: str(_bare(text)) for name, text in typed.items()}


def _one_line(text: str) -> str:
    """A text of several lines as an input of one line can hold it."""
    return " ".join(text.split())


def _is_empty(typed: Typed) -> bool:
    return not (typed if isinstance(typed, str) else "".join(typed.values())).strip()


class LineField(AnswerField):
    """One line of text; a stored answer of several lines is drawn as a text area, which does not swallow them."""

    @property
    def lines(self) -> bool:
        return any("\n" in str(slot) for slot in self.slots())


class ChoiceField(AnswerField):
    """Radios, check boxes, a list: the keys chosen, and the person's own words where the choice is open."""

    def read(self, sent: MultiDict[str, str]) -> Iterator[Typed]:
        keys = [key for key in sent.getlist(self.name) if key]
        chosen = [key for key in keys if key != "open"]
        own = [text for text in sent.getlist(f"{self.name}-open") if text.strip()]
        if not self.node.open or not own:
            yield from chosen
        elif self.node.control == "checkboxes" or self.node.repeats:
            yield from [*chosen, *own]
        elif "open" in keys or not chosen or (self._is_stored(chosen[0]) and not self._is_stored(own[0])):
            yield from own
        else:
            yield from chosen

    def _is_stored(self, typed: str) -> bool:
        return any(self.stored(answer) == typed for answer in self.node.answers)

    def stored(self, answer: Json) -> Typed:
        key = key_of(answer)
        if key in self.keys:
            return key
        own = self.node.open and not (answer.get("valueCoding") or {}).get("code")
        return _one_line(say(answer, self.language)) if own else f"kept-{key}"

    def in_order(self, found: list[Json]) -> list[Json]:
        """The stored answers in their order when they are the same ones: boxes come back in the order of the page."""
        stored = self.node.answers
        same = len(found) == len(stored) and all(any(one is each for each in stored) for one in found)
        return list(stored) if same else found

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(option.key for option in self.node.options)

    @property
    def own_words(self) -> list[str]:
        """What is not one of the options."""
        keys = self.keys
        return [str(text) for text in self.slots() if text and text not in keys and not str(text).startswith("kept-")]

    @property
    def chosen(self) -> frozenset[str]:
        return frozenset(str(each) for each in self.slots())

    def strays(self) -> list[tuple[str, str]]:
        """Stored answers that are not in the list (any more), as (key, words): they stay until the person changes them."""
        keys = self.keys
        known = [(str(self.stored(answer)), say(answer, self.language)) for answer in self.node.answers]
        return [(key, told) for key, told in known if key not in keys and key.startswith("kept-")]

    def offered(self) -> list[tuple[str, str, bool]]:
        """Every option for a list, as (key, words, disabled)."""
        listed = [(each.key, _in_line(each), each.disabled) for each in self.node.options]
        return [*listed, *((key, told, False) for key, told in self.strays())]

    def items(self, drawn: Callable[[Option], Markup], own: Markup | None) -> list[Json]:
        """The items for radios or check boxes; `drawn` draws a label that is more than plain words, `own` the open answer.

        "None of these" and the like, where they stand last, stay last: behind "something else", and behind one "or".
        """
        boxes, chosen = self.node.control == "checkboxes", self.chosen
        options = list(self.node.options)
        alone = len(options)
        while boxes and alone and options[alone - 1].exclusive:
            alone -= 1
        made = [self._item(option, drawn) for option in options[:alone]]
        made += [{"value": key, "text": told, "checked": key in chosen} for key, told in self.strays()]
        if own is not None:
            told = self.node.open_label or words("Something else")
            made.append({"value": "open", "text": told, "checked": bool(self.own_words), "conditional": {"html": own}})
        if made and options[alone:]:
            made.append({"divider": words("or")})
        made += [self._item(option, drawn) for option in options[alone:]]
        return made if boxes else [*made, *self.no_answer()]

    def _item(self, option: Option, drawn: Callable[[Option], Markup]) -> Json:
        on = option.key in self.chosen
        simple = isinstance(option.label, str) and not hasattr(option.label, "__html__") and not option.media
        said: Json = {"text": f"{option.prefix} {option.label}".strip()} if simple else {"html": drawn(option)}
        said |= {"hint": {"text": option.beside}} if option.beside else {}
        exclusive = self.node.control == "checkboxes" and option.exclusive
        return {
            "value": option.key, "checked": on, "disabled": option.disabled and not on, **said, "exclusive": exclusive
        }  # fmt: skip

    def no_answer(self) -> list[Json]:
        """A way back from an answer that may be left out: a radio cannot be unticked."""
        if self.node.required:
            return []
        return [{"value": "", "text": words("No answer"), "checked": False, "attributes": {"data-clear": ""}}]


class LookupField(ChoiceField):
    """A choice that is typed: the words of an option, suggested while typing where the browser can."""

    def read(self, sent: MultiDict[str, str]) -> Iterator[Typed]:
        yield from sent.getlist(self.name)

    def stored(self, answer: Json) -> Typed:
        key = key_of(answer)
        return self.labels.get(key) or _one_line(say(answer, self.language))

    @property
    def labels(self) -> dict[str, str]:
        """Key -> words, made different from one another by the code where two options are called the same."""
        if "labels" not in self.__dict__ or self.__dict__["labels"][0] is not self.node:
            self.__dict__["labels"] = (self.node, _told_apart(self.node.options))
        made: dict[str, str] = self.__dict__["labels"][1]
        return made

    def parse(self, typed: Typed) -> Read:
        wanted = str(_bare(typed)).casefold()
        key = next((key for key, label in self.labels.items() if label.casefold() == wanted), typed)
        if self.unlisted and wanted:
            return self._written(str(_bare(typed)))
        return engine.answer(self.node, key, self.language)

    def _written(self, text: str) -> Read:
        """What was written where no list is at hand; odd characters are refused as anywhere."""
        issues = [issue for issue in engine.answer(self.node, text, self.language)[1] if issue.code != "option"]
        made = {"valueCoding": {"display": text}} if self.node.type == "choice" else {"valueString": text}
        return [] if issues else [made], issues

    @property
    def unlisted(self) -> bool:
        """Whether the list is kept elsewhere and is not at hand: the clinic codes what was written."""
        return not self.node.options and not self.nothing

    @property
    def nothing(self) -> bool:
        """Whether the answers before leave nothing to choose from."""
        item = self.node.item
        return not self.node.options and bool(item.raw.get("answerOption") or item.answer_formula)


def _in_line(option: Option) -> str:
    beside = f" ({option.beside})" if option.beside else ""
    return f"{option.prefix} {unmarked(option.label)}{beside}".strip()


def _told_apart(options: list[Option]) -> dict[str, str]:
    seen: dict[str, int] = {}
    for option in options:
        seen[unmarked(option.label)] = seen.get(unmarked(option.label), 0) + 1
    made = {}
    for option in options:
        label = unmarked(option.label)
        more = _code(option) or option.beside
        made[option.key] = f"{label} ({more})" if seen[label] > 1 and more else label
    return made


class YesNoField(AnswerField):
    def stored(self, answer: Json) -> Typed:
        return str(answer.get("valueBoolean", "")).lower()

    def items(self) -> list[Json]:
        now = str(self.slots()[0])
        yes_no = [{"value": "true", "text": words("Yes")}, {"value": "false", "text": words("No")}]
        made = [{**each, "checked": each["value"] == now} for each in yes_no]
        if not self.node.required:
            made.append({"value": "", "text": words("No answer"), "checked": False, "attributes": {"data-clear": ""}})
        return made


class PartsField(AnswerField):
    """Answers of several inputs each, such as a number and its unit."""

    parts: ClassVar[tuple[str, ...]] = ()

    def read(self, sent: MultiDict[str, str]) -> Iterator[Typed]:
        columns = [sent.getlist(f"{self.name}-{part}") for part in self.parts]
        for row in range(max(map(len, columns), default=0)):
            yield {
                part: column[row] if row < len(column) else "" for part, column in zip(self.parts, columns, strict=True)
            }

    def empty(self) -> Typed:
        return dict.fromkeys(self.parts, "")


class QuantityField(PartsField):
    """A number and its unit: one of the units offered, the only one there is, or (where the form lets) any other."""

    parts = ("number", "unit")

    def stored(self, answer: Json) -> Typed:
        quantity = answer.get("valueQuantity", {})
        number = say({"valueDecimal": quantity["value"]}, self.language) if "value" in quantity else ""
        sign = quantity.get("comparator") or ""
        return {"number": f"{sign}{number}", "unit": self._unit(quantity)}

    def _unit(self, quantity: Json) -> str:
        """The unit's words where they are typed, else the key of the one in the list."""
        code, said = quantity.get("code"), str(quantity.get("unit") or "").casefold()
        known = next((unit for unit in self.node.units if code and _code(unit) == code), None) or next(
            (unit for unit in self.node.units if said and unmarked(unit.label).casefold() == said), None
        )
        if known is not None and self.typed_unit:
            return unmarked(known.label)
        return known.key if known else str(quantity.get("unit") or quantity.get("code") or "")

    @property
    def typed_unit(self) -> bool:
        return self.node.unit_open

    def parse(self, typed: Typed) -> Read:
        assert not isinstance(typed, str)
        unit = typed["unit"].strip()
        if not typed["number"].strip() and (len(self.node.units) < 2 or not unit):
            return [], []
        same = next((u for u in self.node.units if unit.casefold() in (unmarked(u.label).casefold(), u.key)), None)
        if same is None and unit and not self.node.units and not self.node.unit_open:
            return self._in_unit(typed["number"], unit)
        return engine.answer(self.node, {**typed, "unit": same.key if same else unit}, self.language)

    def _in_unit(self, number: str, unit: str) -> Read:
        """Another number in the unit that the stored answer has."""
        answers, issues = engine.answer(self.node, {"number": number, "unit": ""}, self.language)
        before = next(
            (a["valueQuantity"] for a in self.node.answers if self._unit(a.get("valueQuantity", {})) == unit), None
        )
        kept = {key: before[key] for key in ("unit", "system", "code") if key in before} if before else {}
        return [
            {"valueQuantity": {"value": a["valueQuantity"]["value"], **kept}} if kept else a for a in answers
        ], issues


class DateTimeField(PartsField):
    """A date, and a time of day in the clinic's zone if it is known."""

    parts = ("date", "time")

    def stored(self, answer: Json) -> Typed:
        moment = _here(str(answer.get("valueDateTime") or ""), self.zone)
        date, _, clock = moment.partition("T")
        return {"date": say({"valueDate": date}, self.language) if date else "", "time": clock[:5]}

    def parse(self, typed: Typed) -> Read:
        answers, issues = super().parse(typed)
        return [{"valueDateTime": _zoned(answer["valueDateTime"], self.zone)} if "valueDateTime" in answer else answer
                for answer in answers], issues  # fmt: skip


def _here(moment: str, zone: ZoneInfo) -> str:
    """A FHIR dateTime as the clocks of the zone show it; a date, or what cannot be read, as it is."""
    if "T" not in moment:
        return moment
    try:
        return datetime.fromisoformat(moment).astimezone(zone).isoformat()
    except (ValueError, OverflowError):
        return moment


def _zoned(moment: str, zone: ZoneInfo) -> str:
    """A dateTime read without zone (…Z) as one of this zone."""
    if not moment.endswith("Z"):
        return moment
    try:
        return datetime.fromisoformat(moment[:-1]).replace(tzinfo=zone).isoformat()
    except (ValueError, OverflowError):
        return moment


class FileField(AnswerField):
    """Files chosen now, as base64 inside the answer; those kept before stay unless they are taken away.

    A browser cannot be given a chosen file back: one that cannot be taken does not cost the others chosen with it.
    """

    keeps_the_rest = True

    def read(self, sent: MultiDict[str, Any]) -> Iterator[Typed]:
        for file in sent.getlist(self.name):
            if isinstance(file, FileStorage) and file.filename:
                yield files.attachment(file)

    def __init__(self, node: Node, language: str, zone: ZoneInfo, sent: MultiDict[str, Any] | None) -> None:
        super().__init__(node, language, zone, sent)
        self.removed = frozenset(() if sent is None else sent.getlist(f"{self.name}-remove"))

    def answers(self) -> Read:
        kept = [answer for answer in self.node.answers if digest([answer]) not in self.removed]
        new, issues = self._chosen()
        found = new if new and not self.node.repeats else [*kept, *new]
        if new and sum(len(each.get("valueAttachment", {}).get("data", "")) for each in found) > files.MOST_TOGETHER:
            return kept, [*issues, Issue(self.node.name, self.node.link_id, code="file-total")]
        return found, issues

    def _chosen(self) -> Read:
        """The files that can be taken; of several, what is wrong with one names it."""
        answers: list[Json] = []
        issues: list[Issue] = []
        for file in self.typed:
            new, wrong = engine.answer(self.node, file, self.language)
            name = {"file": file["title"]} if isinstance(file, dict) and len(self.typed) > 1 else {}
            answers += new
            issues += [replace(issue, params={**issue.params, **name}) for issue in wrong]
        return answers, issues

    def slots(self) -> list[Any]:
        """The files there are, as (what tells them apart, name)."""
        return [(digest([answer]), say(answer, self.language)) for answer in self.node.answers]


_STEPS = (2, 3, 4, 5, 10, 20, 30)


def width(node: Node) -> int | None:
    """How wide a line is drawn, from how much may stand in it."""
    most = node.limits.max_length
    return next((step for step in _STEPS if most <= step), None) if most else None


FIELDS: dict[str, type[AnswerField]] = {
    "radios": ChoiceField,
    "checkboxes": ChoiceField,
    "select": ChoiceField,
    "autocomplete": LookupField,
    "yesno": YesNoField,
    "quantity": QuantityField,
    "datetime": DateTimeField,
    "attachment": FileField,
    "text": LineField,
    "url": LineField,
    "reference": LineField,
}


def field_type(node: Node) -> type[AnswerField]:
    """A slider of a quantity is a quantity all the same."""
    return QuantityField if node.type == "quantity" and not node.options else FIELDS.get(node.control, AnswerField)
