"""Shapes of expressions that forms write again and again, recognised in the tree."""

from __future__ import annotations

from typing import NamedTuple

from portal.fhirpath.ast import Binary, Call, Expr, Literal, Member, Path, Special, Step


class Lookup(NamedTuple):
    """steps[start:end] of a path are “the items below with this linkId”; how is item, repeat or descendants."""

    how: str
    link_id: str
    start: int
    end: int


def quick_test(tree: Expr) -> tuple[str, str] | None:
    """`name = 'text'`, either way round and with or without `$this.`: (name, text)."""
    if not isinstance(tree, Binary) or tree.operator != "=":
        return None
    for side, other in ((tree.left, tree.right), (tree.right, tree.left)):
        name = member_name(side)
        if name is not None and isinstance(other, Literal) and isinstance(other.value, str):
            return name, other.value
    return None


def member_name(tree: Expr) -> str | None:
    """The name of a single element of `$this`."""
    if not isinstance(tree, Path) or len(tree.steps) != 1 or not isinstance(tree.steps[0], Member):
        return None
    if tree.head is not None and not (isinstance(tree.head, Special) and tree.head.name == "this"):
        return None
    name = tree.steps[0].name
    return None if tree.head is None and name[:1].isupper() else name


def link_id_test(step: Step) -> str | None:
    """The x of `where(linkId = 'x')`."""
    if isinstance(step, Call) and step.name == "where" and len(step.arguments) == 1:
        test = quick_test(step.arguments[0])
        if test is not None and test[0] == "linkId":
            return test[1]
    return None


def walk_of(step: Step) -> str | None:
    """How a step goes down to items: `.item`, `.repeat(item)` or `.descendants()`."""
    if isinstance(step, Member):
        return "item" if step.name == "item" else None
    if not isinstance(step, Call):
        return None
    if step.name == "descendants" and not step.arguments:
        return "descendants"
    if step.name == "repeat" and len(step.arguments) == 1 and member_name(step.arguments[0]) == "item":
        return "repeat"
    return None


def recognised(head: Expr | None, steps: tuple[Step, ...]) -> Lookup | None:
    """The first look-up by linkId in a path."""
    for at in range(len(steps) - 1):
        how = walk_of(steps[at])
        link_id = link_id_test(steps[at + 1]) if how else None
        if how and link_id is not None:
            return Lookup(how, link_id, at, at + 2)
    return None
