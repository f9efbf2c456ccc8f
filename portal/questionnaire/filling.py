"""A form being filled in: pages, nodes, answers, checks and the response; never changed, always made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from portal.fhir import exact

from . import addresses, checking, notes
from . import nodes as drawing
from . import response as writing
from .answers import Entry
from .context import Context
from .definition import Form
from .evaluation import Evaluation
from .extensions import Json
from .initial import fixed_answers
from .issues import Issue, Trouble
from .items import Item
from .nodes import Node, locked
from .options import Option, options, searched, standing
from .paging import PageLayout
from .reading import Reading, has_value, read
from .richtext import unmarked
from .shape import problem
from .summary import Section, section
from .texts import asked, text_of
from .words import localised

MAX_ANSWERS = 1_000
MAX_INSTANCES = 200
MOST_DRAWN = 2
"""Pages that stay drawn: the one a person is on, and the one they came from. What is held of somebody must stay small."""
MAX_ROUNDS = 20
"""How deep a chain of questions, each shown by the one before, can be answered in one post."""


@dataclass(frozen=True, slots=True)
class Page:
    """`key` is safe in an address and stays the same for a version of the form; `number` counts from 1."""

    key: str
    title: str
    number: int
    total: int = 0
    trail: tuple[str, ...] = ()
    part: int = 0


class Filling:
    """A form with some answers. `answer`, `add` and `remove` give a new one and leave this one as it was."""

    def __init__(self, form: Form, response: Json | None, context: Context, *, settle: bool = True) -> None:
        """A draft that `draft()` gave is taken as it is; any other response is read with care and calculated anew.
        `settle=False` leaves calculated answers as they came, to check a response from elsewhere."""
        own = settle and notes.settled(response, form)
        self._begin(form, response, context, read(form, response, notes.strays(response), own=own))
        if settle and not own:
            self._evaluation.settle(form.graph.order)

    @classmethod
    def as_sent(cls, form: Form, response: Json, context: Context) -> Filling:
        """What somebody sent, to be read: nothing is calculated or decided anew, and every answer in it applies."""
        made = cls(form, response, context, settle=False)
        made._evaluation.sent = asked(response)
        return made

    @classmethod
    def of_entries(cls, form: Form, head: Json | None, context: Context, top: Entry, strays: list[Json]) -> Filling:
        """A filling of entries that were put together otherwise; `head` gives the elements of the response."""
        made = object.__new__(cls)
        made._begin(form, head, context, Reading(top, strays))
        made._evaluation.settle(form.graph.order)
        return made

    def _begin(self, form: Form, response: Json | None, context: Context, reading: Reading) -> None:
        self.form = form
        self.context = context
        self.reading_issues = reading.issues
        self._strays = reading.strays
        self._head = notes.head(response)
        self._top = reading.top
        self._pages: list[PageLayout] | None = None
        self._drawn: dict[str, list[Node]] = {}
        self._told: dict[str, Section] = {}
        self._named: dict[str, Entry | None] = {}
        self._evaluation = Evaluation(form, reading.top, context, self._base())

    def _base(self) -> Json:
        kept = {key: value for key, value in self._head.items() if key not in ("extension", "contained")}
        return {
            "resourceType": "QuestionnaireResponse",
            "status": "in-progress",
            **kept,
            **({"questionnaire": self.form.canonical} if self.form.canonical else {}),
        }

    def copy(self) -> Filling:
        """The same answers, to be changed apart from these."""
        made = object.__new__(Filling)
        made._begin(self.form, None, self.context, Reading(self._top.copy(), self._strays, self.reading_issues))
        made._head = self._head
        made._evaluation.base = made._base()
        return made

    def go_on(self, context: Context) -> None:
        """The same answers in another request: what leans on time, the record or lists elsewhere is decided anew."""
        self.context = context
        self._evaluation.go_on(context)
        self._redraw(self.form.reach.outside)

    def _redraw(self, within: Iterable[Item]) -> None:
        """Something is different about these items: a page that none of them stands on is as it was drawn and told."""
        self._pages, self._named = None, {}
        on, moved = self.form.items_on, frozenset(within)
        self._drawn = {key: nodes for key, nodes in self._drawn.items() if moved.isdisjoint(on(key))}
        self._told = {key: told for key, told in self._told.items() if moved.isdisjoint(on(key))}

    def _moved(self, items: Iterable[Item]) -> None:
        """Answers of these items changed: what they reach is decided and calculated anew, all else stays."""
        items = list(items)
        reach = self.form.reach.of(items)
        self._evaluation.forget(reach)
        self._evaluation.settle(self.form.graph.affected(item.ordinal for item in items), reach)
        self._redraw(reach)

    # -- what to draw ------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The form's title in the language, worked out where the form gives an expression for it."""
        if "title" in self.form.root.text_formulas:
            return unmarked(text_of(self._evaluation, self._top, "title"))
        return self.form.title(self.context.language)

    @property
    def pages(self) -> list[Page]:
        """The pages on which something applies and can be seen, in order."""
        shown = self._shown()
        return [self._page(layout, number, len(shown)) for number, layout in enumerate(shown, 1)]

    @property
    def keys(self) -> list[str]:
        """The keys of `pages`."""
        return [layout.key for layout in self._shown()]

    def page(self, key: str) -> Page | None:
        """One of `pages`."""
        shown, layout = self._shown(), self.form.page(key)
        return self._page(layout, shown.index(layout) + 1, len(shown)) if layout in shown else None

    def _shown(self) -> list[PageLayout]:
        if self._pages is None:
            self._pages = [layout for layout in self.form.layout if layout.sure or self._visible(layout)]
        return self._pages

    def _page(self, layout: PageLayout, number: int, total: int) -> Page:
        trail = tuple(str(self._title(item)) for item in layout.trail if item is not layout.title_item)
        title = self._title(layout.title_item) if layout.title_item else self.form.title(self.context.language)
        return Page(layout.key, title, number, total, tuple(filter(None, trail)), layout.part)

    def _title(self, item: Item) -> str:
        if not item.raw.get("text") and item.parent is not None and item.parent.ordinal:
            return self._title(item.parent)
        return str(localised(item.raw, "text", self.context.language)) or self.form.title(self.context.language)

    def _visible(self, layout: PageLayout) -> bool:
        top = self._top
        for group in layout.trail:
            if group.hidden:
                return False
            top = top.one(group)
        return any(self._something(entry) for item in layout.roots for entry in top.all(item))

    def _something(self, entry: Entry) -> bool:
        """Whether a question (or a text) in it applies and is not hidden."""
        item = entry.item
        if item.hidden or not self._evaluation.enabled(entry):
            return item.keep_shown and not item.hidden
        if item.type != "group":
            return True
        return any(self._something(inner) for child in item.children for inner in entry.all(child))

    def nodes(self, page_key: str, issues: Iterable[Issue] = ()) -> list[Node]:
        """What the page draws, in order; [] for a key that is not a page. `issues` are put on the nodes they name."""
        layout, issues = self.form.page(page_key), tuple(issues)
        if layout is None or issues:
            return drawing.draw(self._evaluation, layout, issues) if layout else []
        if page_key not in self._drawn:
            if len(self._drawn) >= MOST_DRAWN:
                self._drawn.clear()
            self._drawn[page_key] = drawing.draw(self._evaluation, layout, ())
        return list(self._drawn[page_key])

    def asked(self, page_key: str) -> list[Node]:
        """The questions of a page, wherever they stand on it, to read what came in for them: what is not drawn yet need not be."""
        if page_key in self._drawn:
            return list(drawing.questions(self._drawn[page_key]))
        layout = self.form.page(page_key)
        return drawing.asked(self._evaluation, layout) if layout else []

    def node(self, name: str) -> Node | None:
        """The node of one field name, wherever it stands; None when it is hidden, does not apply or does not exist."""
        entry = self._entry(name)
        if entry is None or self.stored(name) is None:
            return None
        return drawing._node(self._evaluation, entry, {})

    def stored(self, name: str) -> list[Json] | None:
        """The answers that the node of a field name would show; None where there is no such node."""
        entry = self._entry(name)
        if entry is None or any(item.hidden for item in entry.item.ancestors()) or not self._evaluation.enabled(entry):
            return None
        return entry.answers

    def page_of(self, name: str) -> str:
        """The key of the page a field name stands on, or ""."""
        entry = self._entry(name)
        around = set(entry.item.ancestors()) if entry else set[Item]()
        return next((layout.key for layout in self.form.layout if around & set(layout.roots)), "")

    def search(self, name: str, text: str, limit: int = 20) -> list[Option]:
        """The options of a question whose words hold the text; from the terminology server when they are there."""
        entry = self._entry(name)
        if entry is None or not entry.item.is_question:
            return []
        wanted = text.casefold().strip()
        found = searched(self._evaluation, entry, text, limit)
        if found is not None:
            return found
        found = options(self._evaluation, entry)
        return [option for option in found if wanted in str(option.label).casefold()][:limit]

    def text(self, name: str) -> str:
        entry = self._entry(name)
        return unmarked(text_of(self._evaluation, entry, "text")) if entry else ""

    def _entry(self, name: str) -> Entry | None:
        if name not in self._named:
            found = addresses.parse(name, self.form.all_items)
            self._named[name] = addresses.find(self._top, *found) if found else None
        return self._named[name]

    # -- answering ---------------------------------------------------------------------------------------------

    def answer(self, changes: Mapping[str, list[Json]]) -> Filling:
        """The filling with these answers in place of those before (an empty list takes an answer away).

        Names that do not exist, and items that are read-only, hidden, calculated or do not apply, are passed over.
        """
        made = self.copy()
        made.put(changes)
        return made

    def put(self, changes: Mapping[str, list[Json]], *, editing: bool = False) -> None:
        """What `answer` does, done to this filling itself, by whoever holds it alone; the work grows with what changes.

        `editing`: who answers is still on the page, so an input that was added stays there until it is filled in.
        """
        left = self._put(changes, editing)
        for _ in range(MAX_ROUNDS):
            if not left:
                break
            still = self._put(left, editing)
            if len(still) == len(left):
                break
            left = still

    def _put(self, changes: Mapping[str, list[Json]], editing: bool) -> dict[str, list[Json]]:
        """The answers that can be given now; and back come those whose questions do not apply as yet: another answer of
        the same post may be what makes them apply."""
        taken: list[tuple[Entry, list[Json]]] = []
        left: dict[str, list[Json]] = {}
        for name, answers in changes.items():
            entry = self._entry(name)
            if entry is None or _stands(entry, answers) or not self._reachable(entry):
                continue
            if self._evaluation.enabled(entry):
                taken.append((entry, [_own(answer) for answer in answers[:MAX_ANSWERS] if _tellable(answer)]))
            else:
                left[name] = answers
        changed = [entry.item for entry, kept in taken if kept != entry.answers]
        for entry, kept in taken:
            if entry.blanks or kept != entry.answers:
                entry.touch()
            inputs = len(entry.answers) + entry.blanks if editing and entry.blanks else 0
            entry.answers, entry.blanks = kept, max(0, inputs - len(kept))
        if changed:
            self._moved(changed)
        self._redraw([entry.item for entry, _ in taken])
        return left

    def _reachable(self, entry: Entry) -> bool:
        """Whether a person may answer it where it applies: a question they can see and change."""
        if not entry.item.is_question or any(item.hidden for item in entry.item.ancestors()):
            return False
        return not locked(self._evaluation, entry)

    def add(self, name: str) -> Filling:
        """One more repetition of the item with this name (any of its repetitions may be named)."""
        made = self.copy()
        return made if made.put_more(name) else self

    def put_more(self, name: str) -> bool:
        """What `add` does, done to this filling itself; whether there could be one more."""
        entry = self._entry(name)
        if entry is None or not entry.item.repeats or not self._evaluation.enabled(entry):
            return False
        node = drawing._node(self._evaluation, entry, {})
        if not node.can_add or max(node.instances, node.slots) >= MAX_INSTANCES:
            return False
        entry.touch()
        if entry.item.instanced and entry.parent is not None:
            for sibling in entry.parent.all(entry.item):
                sibling.kept = True
                sibling.touch()
            made = entry.parent.add(entry.item)
            made.kept = True
            _start(made)
        else:
            entry.blanks = 1 if entry.answers else 2
        self._moved([entry.item, *entry.item.descendants()])
        self.drop_switched_off(entry.item.descendants())
        return True

    def drop_switched_off(self, items: Iterable[Item]) -> None:
        """Nobody chose these answers: what a question begins with is not chosen where it is switched off."""
        toggled, dropped = [item for item in items if item.toggles], False
        for entry in [entry for item in toggled for entry in self._top.below(item)]:
            kept = standing(self._evaluation, entry)
            if len(kept) < len(entry.answers):
                entry.answers, dropped = kept, True
                entry.touch()
                self._moved([entry.item])
        if dropped:
            self.drop_switched_off(toggled)

    def remove(self, name: str) -> Filling:
        """Without this repetition. A repeating question without parts takes its input's number: q7-2 is its third."""
        made = self.copy()
        return made if made.put_fewer(name) else self

    def put_fewer(self, name: str) -> bool:
        """What `remove` does, done to this filling itself; whether there was such a repetition."""
        found = addresses.parse(name, self.form.all_items)
        if found is None:
            return False
        item, indices = found
        slot = indices[len(item.instanced_path)] if len(indices) > len(item.instanced_path) else None
        entry = addresses.find(self._top, item, indices[: len(item.instanced_path)])
        if entry is None or not item.repeats or locked(self._evaluation, entry):
            return False
        entry.touch()
        if item.instanced and entry.parent is not None:
            entry.parent.children[item.ordinal].remove(entry)
        elif slot is not None and slot < len(entry.answers):
            del entry.answers[slot]
        else:
            entry.blanks = max(0, entry.blanks - 1)
        self._moved([item, *item.descendants()])
        return True

    # -- checking and writing -----------------------------------------------------------------------------------

    def check(self, page_key: str | None = None) -> list[Issue]:
        """What is wrong on a page, or (None) in the whole form, rules of the form included."""
        if page_key is None:
            return checking.check(self._evaluation, [], whole=True)
        layout = self.form.page(page_key)
        return checking.check(self._evaluation, [layout], whole=False) if layout else []

    def inside(self) -> tuple[Evaluation, Entry]:
        """The evaluation and the entries, for the other parts of this engine."""
        return self._evaluation, self._top

    @property
    def troubles(self) -> list[Trouble]:
        """What the form asked for and could not be done so far: for staff."""
        return list(dict.fromkeys(self._evaluation.troubles))

    @property
    def stray_items(self) -> list[Json]:
        """Items of the response for which this form has no place; kept in the draft."""
        return list(self._strays)

    def answered(self) -> tuple[int, int]:
        """(questions answered, questions that apply and can be seen)."""
        sections = self.summary(self.context.language)
        rows = [row for section in sections for row in section.rows if not row.read_only]
        return sum(1 for row in rows if row.answers), len(rows)

    def response(self, status: str, *, authored: str | None = None, **fields: object) -> Json:
        """A QuestionnaireResponse of what applies: order, nesting and text of the form, without our notes.

        `fields` are further elements of the resource (subject, author, source, encounter, identifier …).
        """
        if status not in writing.STATUSES:
            raise ValueError(f"{status!r} is not a status of a QuestionnaireResponse")
        head = {**self._head, "extension": notes.foreign(self._head.get("extension")) or None}
        given = {"questionnaire": self.form.canonical or None, "status": status, "authored": authored, **fields}
        made = writing.merged({k: v for k, v in head.items() if v is not None}, given)
        counts = partial(standing, self._evaluation)
        items = writing.write(self._top, self._evaluation.enabled, self.context.language, self._written_text, counts)
        return {**made, "item": items} if items else made

    def _written_text(self, entry: Entry) -> str:
        return str(localised(entry.item.raw, "text", self.context.language))

    def draft(self) -> Json:
        """Everything typed so far, also where it does not apply now; Filling(form, draft, …) gives the same filling."""
        return self._drafted(writing.write_draft(self._top))

    def draft_text(self) -> str:
        """`draft` as JSON; what was not touched since it was last asked for is not written again."""
        return exact.dumps(self._drafted(writing.write_draft_texts(self._top)))

    def _drafted(self, items: list[Json]) -> Json:
        own: list[Json] = [{"url": notes.SETTLED, "valueString": notes.fingerprint(self.form)}]
        kept = notes.foreign(self._head.get("extension"))
        made = writing.merged(
            self._head,
            {"questionnaire": self.form.canonical or None, "status": "in-progress", "extension": [*kept, *own]},
        )
        if self._strays:
            made["contained"] = [*notes.without_strays(made.get("contained")), notes.aside(self._strays)]
        return {**made, "item": items} if items else made

    def summary(self, lang: str = "") -> list[Section]:
        """Sections and rows for "check your answers", in words of the language."""
        if lang and lang != self.context.language:
            return self.spoken(lang).summary()
        for page in self.pages:
            if page.key not in self._told:
                self._told[page.key] = section(self._evaluation, self.form.by_page[page.key], page.title)
        return [found for key in self.keys if (found := self._told[key]).rows]

    def spoken(self, lang: str) -> Filling:
        """The same filling in another language."""
        made = self.copy()
        made.go_on(replace(self.context, language=lang))
        return made


def _tellable(answer: object) -> bool:
    """Whether an answer can be kept to be checked: a plain value of any kind, or an object with the right shape."""
    if not isinstance(answer, dict) or not has_value(answer):
        return False
    plain = all(not isinstance(value, (dict, list)) for value in answer.values())
    return plain or not problem(answer)


def _stands(entry: Entry, answers: list[Json]) -> bool:
    """Whether these are the answers that stand there already, as the person's own."""
    return bool(answers) and answers == entry.answers and not entry.blanks and all(map(_is_bare, answers))


def _is_bare(answer: Json) -> bool:
    return not ({"item", "id", "extension"} & answer.keys()) and _tellable(answer)


def _start(entry: Entry) -> None:
    """A repetition begins with the initial values of its questions."""
    for child in entry.item.children:
        if child.is_question:
            entry.one(child).answers = fixed_answers(child)
        _start(entry.one(child))


def _own(answer: Json) -> Json:
    """What a person said: the answer without notes of where a prefilled one came from, and without nested items."""
    kept = {key: value for key, value in answer.items() if key not in ("item", "id")}
    if "extension" in kept:
        kept["extension"] = notes.foreign(kept["extension"])
        if not kept["extension"]:
            del kept["extension"]
    return kept
