"""Which questions stand on a page together: as the author said, or else in portions a person can take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from portal.fhir.letters import normal

from .items import Item

PORTION = 15
"""Questions on a page where the author did not say; a part of the form up to twice that is not cut."""
SHORT = 8
"""A form of no more questions than this is one page."""
TOGETHER = frozenset({"grid", "gtable", "table", "htable", "list", "page", "atable"})
FRAMES = frozenset({"header", "footer"})


@dataclass(slots=True)
class PageLayout:
    """`roots` are the items drawn, `trail` the groups they stand in that are not drawn, outermost first."""

    key: str
    roots: list[Item]
    trail: tuple[Item, ...]
    title_item: Item | None
    part: int = 0
    sure: bool = False
    """whether something on it applies and can be seen whatever is answered"""


@dataclass(slots=True)
class _Run:
    trail: tuple[Item, ...]
    items: list[Item] = field(default_factory=list)


def lay_out(root: Item) -> list[PageLayout]:
    """The pages of a form in order. Every item of the form is on exactly one page."""
    if weight(root) <= SHORT and not _paged(root):
        pages = [PageLayout("", list(root.children), (), None)] if root.children else []
    else:
        pages = [page for page in _pages(root, ()) if page.roots]
    if not pages and root.children:
        pages = [PageLayout("", list(root.children), (), None)]
    _frame(pages)
    _number_parts(pages)
    _name(pages)
    for page in pages:
        around = [above for group in page.trail for above in group.ancestors() if above.ordinal]
        page.sure = not any(map(_may_be_off, around)) and any(map(_sure, page.roots))
    return pages


def _sure(item: Item) -> bool:
    if _may_be_off(item):
        return False
    return item.type != "group" or any(map(_sure, item.children))


def _may_be_off(item: Item) -> bool:
    return item.hidden or bool(item.conditions) or item.enable_formula is not None


def _paged(root: Item) -> bool:
    """Whether the author said anything about pages."""
    return any(item.controls & {"page", "tab-container"} for item in root.descendants())


def _pages(parent: Item, trail: tuple[Item, ...]) -> Iterator[PageLayout]:
    run = _Run(trail)
    for child in parent.children:
        if child.type == "group" and _stands_alone(child, parent):
            yield from _flush(run)
            run = _Run(trail)
            if _cut(child):
                yield from _pages(child, (*trail, child))
            else:
                yield PageLayout("", [child], trail, child)
        else:
            if _weight(run.items) + weight(child) > PORTION and _weight(run.items):
                yield from _flush(run)
                run = _Run(trail)
            run.items.append(child)
    yield from _flush(run)


def _flush(run: _Run) -> Iterator[PageLayout]:
    if run.items:
        yield PageLayout("", run.items, run.trail, run.trail[-1] if run.trail else None)


def _stands_alone(group: Item, parent: Item) -> bool:
    """Groups of the form and of tabs are pages; deeper ones only when they are a good portion by themselves."""
    if group.controls & FRAMES:
        return False
    if parent.type == "form" or "tab-container" in parent.controls or "page" in group.controls:
        return True
    return weight(group) > PORTION // 2 or any("page" in child.controls for child in group.children)


def _cut(group: Item) -> bool:
    """Whether a group is spread over pages of its own."""
    if group.repeats or group.controls & TOGETHER:
        return False
    if "tab-container" in group.controls or any("page" in child.controls for child in group.children):
        return True
    return weight(group) > 2 * PORTION or (_only_child(group) and weight(group) > PORTION)


def _only_child(group: Item) -> bool:
    return group.parent is not None and group.parent.type == "form" and len(group.parent.children) == 1


def weight(item: Item) -> int:
    """How many questions stand in it, itself included, that a person may see and answer."""
    if item.hidden:
        return 0
    return int(item.is_question and not item.calculated) + sum(weight(child) for child in item.children)


def _weight(items: list[Item]) -> int:
    return sum(weight(item) for item in items)


def _frame(pages: list[PageLayout]) -> None:
    """A page on which nothing is asked joins a neighbour: a total the page before it, a text the page after it (or
    before, at the end): headers, footers, introductions. What the author made a page stays one."""
    for index in range(len(pages) - 1, -1, -1):
        page = pages[index]
        before = pages[index - 1] if index else None
        after = pages[index + 1] if index + 1 < len(pages) else None
        if _weight(page.roots) or any("page" in item.controls for item in page.roots):
            continue
        total = any(inner.calculated for item in page.roots for inner in (item, *item.descendants()))
        if before is not None and before.trail == page.trail and (total or after is None):
            before.roots.extend(page.roots)
            del pages[index]
        elif after is not None and after.trail == page.trail:
            after.roots[:0] = page.roots
            del pages[index]


def _number_parts(pages: list[PageLayout]) -> None:
    """Pages that share a title are parts 1, 2 … of it."""
    count: dict[int, int] = {}
    for page in pages:
        key = page.title_item.ordinal if page.title_item else 0
        count[key] = count.get(key, 0) + 1
        page.part = count[key]
    for page in pages:
        if count[page.title_item.ordinal if page.title_item else 0] == 1:
            page.part = 0


def _name(pages: list[PageLayout]) -> None:
    taken: set[str] = set()
    for page in pages:
        item = page.title_item or page.roots[0]
        base = slug(str(item.raw.get("text") or "")) or slug(item.link_id) or f"part-{item.ordinal}"
        key, number = base, 1
        while key in taken:
            number += 1
            key = f"{base}-{number}"
        taken.add(key)
        page.key = key


def slug(text: str) -> str:
    """Letters a–z, digits and hyphens, at most 40: safe in an address in any language (or "")."""
    plain = normal("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    kept = ""
    for word in words:
        if kept and len(kept) + len(word) + 1 > 40:
            break
        kept = f"{kept}-{word}" if kept else word[:40]
    return kept
