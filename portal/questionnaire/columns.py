"""What is told of each thing to choose (choiceColumn): the columns an answer is called by, and the others beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.fhirpath.temporal import FhirTime, Temporal

from . import extensions as ext
from .answers import Entry
from .converting import words
from .evaluation import Evaluation, typed_node
from .extensions import Json
from .formulas import Formula, formula
from .items import Item
from .speaking import say
from .words import localised

NAME = "choiceColumn"


@dataclass(frozen=True, slots=True)
class Column:
    path: Formula
    title: Json
    shown: bool
    """whether an answer is called by it"""


def columns(item: Item) -> list[Column]:
    if NAME not in item.kept:
        item.kept[NAME] = [made for one in item.extensions.get(NAME, ()) if (made := _column(one)) is not None]
    found: list[Column] = item.kept[NAME]
    return found


def _column(extension: Json) -> Column | None:
    path = formula(ext.part(extension, "path"))
    if path is None or path.error or path.is_query:
        return None
    title: Json = next((one for one in ext.inner(extension) if one.get("url") == "label"), {})
    return Column(path, title, ext.part(extension, "forDisplay") is True)


def told(evaluation: Evaluation, entry: Entry, listed: list[Column], value: Json) -> tuple[str, str]:
    """What a Coding or a resource is called, and the rest that is told of it, each with the title of its column."""
    language = evaluation.context.language
    node = typed_node(value, None if "resourceType" in value else "Coding")
    cells = [(column, _cell(evaluation, entry, column, node)) for column in listed]
    called = " ".join(text for column, text in cells if column.shown and text)
    beside = [
        ": ".join(filter(None, (localised(column.title, "valueString", language), text)))
        for column, text in cells
        if text and not column.shown
    ]
    return called, "; ".join(beside)


def _cell(evaluation: Evaluation, entry: Entry, column: Column, node: Any) -> str:
    found = evaluation.plainly(evaluation.items(column.path, entry, NAME, {}, [node]), entry, NAME)
    return ", ".join(filter(None, (_said(value, evaluation.context.language) for value in found or ())))


def _said(value: Any, language: str) -> str:
    if isinstance(value, Temporal):
        kind = "valueTime" if isinstance(value, FhirTime) else "valueDateTime"
        return say({kind: str(value).removeprefix("T").removesuffix("T")}, language)
    if isinstance(value, bool):
        return say({"valueBoolean": value}, language)
    return words(value)
