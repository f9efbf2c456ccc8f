"""From entries to a QuestionnaireResponse: the answers that count, in the order and nesting of the form."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from portal.fhir import exact

from .answers import Entry
from .extensions import Json
from .items import Item
from .origins import own_words
from .reading import BLANK
from .words import localised

STATUSES = frozenset({"in-progress", "completed", "amended", "entered-in-error", "stopped"})
_BLANK_NOTE = [{"url": BLANK, "valueBoolean": True}]
_AFTER_ITEM = ("item",)
_NOTHING = object()


def write(
    top: Entry,
    enabled: Callable[[Entry], bool],
    language: str,
    title: Callable[[Entry], str] | None = None,
    standing: Callable[[Entry], list[Json]] | None = None,
) -> list[Json]:
    """`item` of a response: enabled answers only, without our notes, with the text each question had. `standing`: those of
    an entry's answers that count, where not all do."""
    return _Writer(enabled, False, language, title, standing).items(top)


def write_draft(top: Entry) -> list[Json]:
    """`item` of a draft: everything that was answered, enabled or not, with blanks and notes."""
    return _Writer(lambda entry: True, True, "", None).items(top)


def write_draft_texts(top: Entry) -> list[Any]:
    """The same, each part as text that `exact.dumps` takes as it stands; what was not touched since is not written again."""
    return _TextWriter(lambda entry: True, True, "", None).items(top)


class _Writer:
    def __init__(
        self,
        enabled: Callable[[Entry], bool],
        draft: bool,
        language: str,
        title: Callable[[Entry], str] | None,
        standing: Callable[[Entry], list[Json]] | None = None,
    ) -> None:
        self.enabled = enabled
        self.draft = draft
        self.language = language
        self.title = title
        self.standing = standing or attrgetter("answers")

    def items(self, parent: Entry) -> list[Json]:
        written: list[Json] = []
        for child in parent.item.children:
            entries = [entry for entry in parent.children.get(child.ordinal, ()) if self.wanted(entry)]
            if not entries:
                continue
            if child.is_group:
                written.extend(self.group(entry) for entry in entries)
            else:
                written.append(self.question(child, entries))
        return written

    def wanted(self, entry: Entry) -> bool:
        if self.draft:
            return entry.holds or (entry.item.instanced and entry.parent is not None and self.among_kept(entry))
        return entry.answered and self.enabled(entry) and self.says_something(entry)

    def among_kept(self, entry: Entry) -> bool:
        """An empty repetition before one that holds something keeps its place."""
        siblings = entry.parent.children.get(entry.item.ordinal, []) if entry.parent else []
        after = siblings[siblings.index(entry) + 1 :]
        return any(sibling.holds for sibling in after)

    def says_something(self, entry: Entry) -> bool:
        """Whether any enabled answer stands in it (a group of disabled answers is left out)."""
        if self.standing(entry):
            return True
        inner = (e for listed in list(entry.children.values()) for e in listed)
        return any(self.enabled(e) and self.says_something(e) for e in inner)

    def head(self, entry: Entry) -> Json:
        head: Json = {"linkId": entry.item.link_id}
        text = self.title(entry) if self.title else localised(entry.item.raw, "text", self.language)
        if text and not self.draft:
            head["text"] = text
        return head

    def group(self, entry: Entry) -> Json:
        written = self.head(entry)
        if self.draft and not any(e.holds for listed in list(entry.children.values()) for e in listed):
            written["extension"] = _BLANK_NOTE
        if items := self.items(entry):
            written["item"] = items
        return written

    def question(self, item: Item, entries: list[Entry]) -> Json:
        written = self.head(entries[0])
        if item.raw.get("definition") and not self.draft:
            written = {"linkId": written["linkId"], "definition": item.raw["definition"], **written}
        written["answer"] = [answer for entry in entries for answer in self.answers(entry)]
        return written

    def answers(self, entry: Entry) -> list[Json]:
        answers: list[Json] = [
            dict(answer) if self.draft else own_words(dict(answer)) for answer in self.standing(entry)
        ]
        if items := self.items(entry):
            answers = answers or [{}]
            answers[0] = {**answers[0], "item": items}
        if self.draft:
            blanks = entry.blanks + (entry.item.instanced and not answers)
            answers.extend({"extension": _BLANK_NOTE} for _ in range(blanks))
        return answers


class _TextWriter(_Writer):
    """Remembers with each entry how it stands in the draft: NOTHING when there is nothing in it to keep."""

    def wanted(self, entry: Entry) -> bool:
        if entry.written is None and not entry.holds:
            entry.written = _NOTHING
        if entry.written is not _NOTHING:
            return True
        return entry.item.instanced and entry.parent is not None and self.among_kept(entry)

    def group(self, entry: Entry) -> Any:
        if entry.written is _NOTHING:
            return super().group(entry)
        if entry.written is None:
            entry.written = exact.written(super().group(entry))
        return entry.written

    def question(self, item: Item, entries: list[Entry]) -> Any:
        only = entries[0]
        if len(entries) > 1 or only.written is _NOTHING:
            return super().question(item, entries)
        if only.written is None:
            only.written = exact.written(super().question(item, entries))
        return only.written


def merged(base: Json | None, fields: dict[str, Any]) -> Json:
    """The head of a response: what it carried before (author, subject, meta …) with the given fields in place."""
    kept = {key: value for key, value in (base or {}).items() if key not in _AFTER_ITEM}
    return {
        "resourceType": "QuestionnaireResponse",
        **kept,
        **{key: value for key, value in fields.items() if value is not None},
    }
