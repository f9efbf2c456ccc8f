"""How nodes stand on a page: tables made of groups, links and pictures that are safe to show, words without markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from portal.components.html import finished
from portal.questionnaire import Form, Node
from portal.questionnaire.richtext import unmarked
from portal.questionnaire.words import negotiated

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MOST_OF_A_PICTURE = 400_000
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+\Z")
_ENDED = re.compile(r"[^\w)\]%°\"'’”]\s*\Z")
_PATTERN = re.compile(r"(?:\W|\d|_|[dmyhsajt])*\Z", re.IGNORECASE)
WIDEST = 6
"""A table with more columns than this is drawn as groups, one below the other."""
CHOICES = ("radios", "select", "checkboxes")


def sentences(parts: Iterable[str]) -> Markup:
    """What is said one after the other; a point stands where one of them ends without any, and more comes."""
    said = [escape(part) for part in parts if part]
    begun = [part if _ENDED.search(part) else f"{part}." for part in said[:-1]]
    return finished(" ".join([*begun, *said[-1:]]))


def entry_format(node: Node) -> str:
    """How the author wants it written. A pattern of letters for a date or a time is left out: they are read as people write
    them, and the example that stands beside says how."""
    pattern = node.control in ("date", "datetime", "time") and _PATTERN.match(node.entry_format)
    return "" if pattern or node.entry_format == str(node.help) else node.entry_format


def picture(media: dict[str, Any] | None) -> tuple[str, str]:
    """(address, words) of a picture that the form carries itself; ("", "") for anything that would be fetched or run."""
    found = media or {}
    kind, data = found.get("contentType"), found.get("data")
    if kind not in PICTURES or not isinstance(data, str) or len(data) > MOST_OF_A_PICTURE or not _BASE64.match(data):
        return "", ""
    return f"data:{kind};base64,{''.join(data.split())}", str(found.get("title") or "")


def share(node: Node) -> str:
    """The class for the width that the form asks for, in quarters of the page."""
    found = re.fullmatch(r"([0-9.]{1,6})%", node.width)
    quarters = round(float(found[1]) / 25) if found and found[1].count(".") < 2 and found[1] != "." else 0
    return f"pv-share-{min(quarters, 4)}" if quarters else ""


def links(node: Node) -> list[tuple[str, str]]:
    """(address, site) of each link to further reading that opens a web page."""
    return [(link, host) for link in node.links if (host := _host(link))]


def _host(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme in ("http", "https") and not re.search(r"\s", link) else ""


@dataclass(slots=True)
class Row:
    """One row: its head, and a cell for each column (None where nothing stands). `node` names it."""

    node: Node
    head: str
    cells: list[Node | None]


@dataclass(slots=True)
class Table:
    """`answers`: the columns are the answers of the questions in the rows; else each cell is a question of its own."""

    node: Node
    name: str
    columns: list[str]
    rows: list[Row]
    answers: bool = False
    above: list[Node] = field(default_factory=list)
    help: str = ""

    @property
    def leaves_out(self) -> bool:
        """Whether an answer of it can be taken back: a column of its own, there from the start so that no other moves."""
        return self.answers and any(not row.node.required and row.node.control != "checkboxes" for row in self.rows)

    def required(self, column: int) -> bool:
        """Whether every question in this column must be answered: on a wide page its head alone is seen."""
        cells = [] if self.answers else [cell for row in self.rows if (cell := row.cells[column]) is not None]
        return bool(cells) and all(cell.required and cell.type != "group" for cell in cells)

    @property
    def dated(self) -> bool:
        """Whether dates are written in it."""
        cells = [cell for row in self.rows for cell in row.cells if cell is not None]
        return any(cell.control in ("date", "datetime") and not cell.read_only for cell in cells)


def blocks(nodes: Iterable[Node]) -> Iterator[Node | Table]:
    """The nodes in order; what the form wants as a table, and can be one, as a Table."""
    for _, repetitions in groupby(
        nodes, key=lambda node: (node.item.ordinal, node.control == "table" and node.repeats)
    ):
        together = list(repetitions)
        if together[0].control == "table" and together[0].repeats and (made := _of_repetitions(together)):
            yield made
        else:
            yield from (_table(node) or node for node in together)


def _table(node: Node) -> Table | None:
    if node.control not in ("table", "grid") or node.repeats or node.read_only:
        return None
    above = [child for child in node.children if child.type == "display"]
    inner = [child for child in node.children if child.type != "display"]
    if inner and all(child.type == "group" for child in inner):
        made = _of_groups(node, inner)
    else:
        made = _of_answers(node, inner) or _of_questions(node, inner)
    if made:
        made.above = above
    return made


def _of_repetitions(nodes: list[Node]) -> Table | None:
    """gtable: each repetition is a row."""
    columns = _columns(nodes)
    if not 1 <= len(columns) <= WIDEST:
        return None
    rows = [Row(node, str(number), _cells(node, columns)) for number, node in enumerate(nodes, 1)]
    return Table(nodes[0], f"{nodes[0].name}-all", list(columns.values()), rows, help=nodes[0].help)


def _of_groups(node: Node, groups: list[Node]) -> Table | None:
    """grid: each group is a row; questions that are called the same stand in one column."""
    columns = _columns(groups)
    if not 1 <= len(columns) <= WIDEST or any(row.control == "table" for row in groups):
        return None
    rows = [Row(row, _row_head(row), _cells(row, columns)) for row in groups]
    return Table(node, node.name, list(columns.values()), rows, help=node.help)


def _row_head(node: Node) -> str:
    return f"{node.text} {node.instance + 1}" if node.instance is not None and node.instances > 1 else node.text


def _columns(rows: list[Node]) -> dict[str, str]:
    """What tells a column -> its head, in order of first use."""
    found: dict[str, str] = {}
    for row in rows:
        for child in row.children:
            if child.type != "display":
                found.setdefault(_column(child), child.text or child.short_text)
    return found


def _column(node: Node) -> str:
    return (
        unmarked(node.text).strip().casefold()
        or f"#{node.item.ordinal - (node.item.parent.ordinal if node.item.parent else 0)}"
    )


def _cells(row: Node, columns: dict[str, str]) -> list[Node | None]:
    by_column: dict[str, Node] = {}
    for child in row.children:
        by_column.setdefault(_column(child), child)
    return [by_column.get(column) for column in columns]


def _of_answers(node: Node, questions: list[Node]) -> Table | None:
    """Questions with the same answers: a row for each, a column for each answer."""
    if len(questions) < 2 or any(_unlike(each, questions[0]) for each in questions):
        return None
    columns = [option.label for option in questions[0].options]
    if not 2 <= len(columns) <= WIDEST + 1:
        return None
    rows = [Row(each, each.text, [each] * len(columns)) for each in questions]
    return Table(node, node.name, columns, rows, answers=True, help=node.help)


def _unlike(one: Node, other: Node) -> bool:
    return (
        one.control not in CHOICES
        or one.open
        or one.read_only
        or one.control != other.control
        or bool(one.children)
        or any(option.exclusive for option in one.options)
        or [option.key for option in one.options] != [option.key for option in other.options]
    )


def _of_questions(node: Node, questions: list[Node]) -> Table | None:
    """A table of questions with answers of different kinds: one row of them."""
    if not 2 <= len(questions) <= WIDEST or any(each.repeats or each.children for each in questions):
        return None
    columns = [each.text or each.short_text for each in questions]
    return Table(node, node.name, columns, [Row(node, "", list(questions))], help=node.help)


def has_answers(node: Node) -> bool:
    """Whether something in it is answered or wrong, so that it must not be folded away."""
    return bool(node.answers or node.issues) or any(has_answers(child) for child in node.children)


def written_in(form: Form, language: str) -> str:
    """The language that the words of the form are in when a page in `language` shows it; "" when that is the page's own."""
    offered = negotiated(form.languages, [language]) or form.language
    return "" if not offered or negotiated([offered], [language]) else offered
