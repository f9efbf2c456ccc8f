"""What depends on what in a form: the order of calculations, and what a changed answer can touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .findings import Findings
from .formulas import Formula
from .items import Item, Variable

Node = tuple[str, int]
"""("enabled", ordinal) or ("value", ordinal); of variables their number."""

_WHOLE = ("descendants(", "startsWith(", "matches(", "contains(", "endsWith(", "children(")


@dataclass(frozen=True, slots=True)
class Graph:
    """`order`: calculated items so that each comes after what it reads. `readers`: ordinal -> the calculated items that
    an answer there can change, whichever way round. `general`: calculated items whose reads cannot be told.
    `impure`: items on which an expression decides whether they apply, themselves or through others."""

    order: tuple[Item, ...]
    readers: Mapping[int, frozenset[int]]
    general: frozenset[int]
    impure: tuple[Item, ...] = ()
    impure_ordinals: frozenset[int] = frozenset()
    _needs: dict[tuple[int, int], tuple[Item, ...]] = field(default_factory=dict)

    def deciding_below(self, item: Item) -> tuple[Item, ...]:
        """The impure items under this one."""
        if not item.children or not self.impure:
            return ()
        key = (0, item.ordinal)
        if key not in self._needs:
            self._needs[key] = tuple(one for one in item.descendants() if one.ordinal in self.impure_ordinals)
        return self._needs[key]

    def needs(self, formula: Formula, item: Item, by_link: Mapping[str, Item]) -> tuple[Item, ...]:
        """The items that an expression decides on, and of which it must be known whether they apply before the formula
        can be trusted. The others are decided by conditions alone, wherever they are looked at."""
        if not self.impure:
            return ()
        key = (id(formula), item.ordinal)
        if key not in self._needs:
            read = reads(formula, item, by_link)
            named = {below for target in read.items for below in (target, *target.descendants())}
            self._needs[key] = tuple(one for one in self.impure if read.whole or one in named)
        return self._needs[key]

    def affected(self, changed: Iterable[int]) -> list[Item]:
        """The calculated items to do again after these items changed, in order: themselves too, for a new repetition begins
        without what is worked out of nothing here."""
        wanted = set(self.general)
        for ordinal in changed:
            wanted |= {ordinal, *self.readers.get(ordinal, ())}
        return [item for item in self.order if item.ordinal in wanted]


def scope(item: Item, formula: Formula) -> dict[str, Variable]:
    """The variables that an expression of this item sees; the nearest of a name wins. What names itself means that of the
    part around."""
    seen: dict[str, Variable] = {}
    for owner in item.ancestors():
        for variable in owner.variables:
            if variable.formula is not formula:
                seen.setdefault(variable.name, variable)
    return seen


@dataclass(frozen=True, slots=True)
class Reads:
    """`beyond`: it may look at answers of items that it does not name."""

    items: frozenset[Item]
    whole: bool
    beyond: bool


def reads(formula: Formula, item: Item, by_link: Mapping[str, Item], seen: frozenset[int] = frozenset()) -> Reads:
    """The items a formula names by linkId, through its variables too; `whole` when it may read any answer."""
    found = {by_link[text] for text in formula.literals() if text in by_link}
    found.discard(item)  # a value may look at what it was before; "not this one" reads all others
    whole = (not found and _touches_response(formula)) or any(word in formula.text for word in _WHOLE)
    own = formula.use.focus == "whole" and (bool(item.children) or not item.ordinal)
    beyond = formula.use.document or own
    visible = scope(item, formula)
    for name in formula.names():
        variable = visible.get(name)
        if variable is None or id(variable.formula) in seen:
            continue
        inner = reads(variable.formula, variable.owner, by_link, seen | {id(formula), id(variable.formula)})
        found |= inner.items - {item}
        whole, beyond = whole or inner.whole, beyond or inner.beyond
    return Reads(frozenset(found), whole, beyond)


def _touches_response(formula: Formula) -> bool:
    """Whether it may look into the response at all, rather than only at named values."""
    names = formula.names()
    return (
        bool(names & {"resource", "context", "rootResource", "QuestionnaireResponse"})
        or "item" in formula.text
        or "answer" in formula.text
    )


def draw(root: Item, items: list[Item], by_link: Mapping[str, Item], findings: Findings) -> Graph:
    edges, general = _edges(items, by_link)
    calculated = {item.ordinal: item for item in items if item.calculation is not None}
    _refuse_cycles(items, edges, findings)
    _refuse_circular_names((root, *items), findings)
    order = [
        calculated[ordinal] for kind, ordinal in _sorted(edges, calculated) if kind == "value" and ordinal in calculated
    ]
    impure = _impure(items)
    return Graph(
        tuple(order),
        _readers(edges, calculated),
        frozenset(general),
        impure,
        frozenset(item.ordinal for item in impure),
    )


def _impure(items: list[Item]) -> tuple[Item, ...]:
    """Spread from the items with an expression to all that lean on them."""
    leaning: dict[int, list[int]] = {}
    for item in items:
        above = [item.parent.ordinal] if item.parent is not None else []
        for ordinal in (*above, *(condition.question.ordinal for condition in item.conditions)):
            leaning.setdefault(ordinal, []).append(item.ordinal)
    stack = [item.ordinal for item in items if item.enable_formula is not None]
    found: set[int] = set()
    while stack:
        ordinal = stack.pop()
        if ordinal not in found:
            found.add(ordinal)
            stack.extend(leaning.get(ordinal, ()))
    return tuple(item for item in items if item.ordinal in found)


def _edges(items: list[Item], by_link: Mapping[str, Item]) -> tuple[dict[Node, list[Node]], set[int]]:
    edges: dict[Node, list[Node]] = {}
    general: set[int] = set()
    for item in items:
        enabled, value = ("enabled", item.ordinal), ("value", item.ordinal)
        shown = edges.setdefault(enabled, [])
        if item.parent is not None and item.parent.ordinal:
            shown.append(("enabled", item.parent.ordinal))
        shown.extend(("value", condition.question.ordinal) for condition in item.conditions)
        if item.enable_formula is not None:
            shown.extend(_values(reads(item.enable_formula, item, by_link)))
        known = edges.setdefault(value, [enabled])
        if item.calculation is not None:
            read = reads(item.calculation, item, by_link)
            known.extend(_values(read))
            if read.whole or read.beyond or any(target.is_group for target in read.items):
                general.add(item.ordinal)
    return edges, general


def _values(read: Reads) -> Iterator[Node]:
    return (("value", target.ordinal) for target in read.items if target.is_question)


def _refuse_cycles(items: list[Item], edges: Mapping[Node, list[Node]], findings: Findings) -> None:
    """enableWhen and calculations must not go in circles. Of an enableWhenExpression that reads what it hides the author is
    told: while it is being decided its item counts as shown."""
    strict = {node: list(targets) for node, targets in edges.items()}
    for item in items:
        if item.enable_formula is not None:
            named = [("value", condition.question.ordinal) for condition in item.conditions]
            above = [("enabled", item.parent.ordinal)] if item.parent is not None and item.parent.ordinal else []
            strict[("enabled", item.ordinal)] = [*above, *named]
    refused = [list(_names_on(cycle, items)) for cycle in _cycles(strict)]
    for names in refused:
        findings.refuse(names[0], "cycle", f"conditions or calculations go in a circle: {' → '.join(names)}")
    for cycle in _cycles(edges) if any(item.enable_formula is not None for item in items) else ():
        names = list(_names_on(cycle, items))
        why = f"these apply by one another's answers, so that what is answered first decides: {' → '.join(names)}"
        for name in names if not refused else ():
            findings.defect(name, "circle", why)


def _names_on(cycle: list[Node], items: list[Item]) -> dict[str, None]:
    return dict.fromkeys(items[ordinal - 1].link_id for _, ordinal in cycle)


def _refuse_circular_names(items: Iterable[Item], findings: Findings) -> None:
    """Variables that are worked out of each other have no value."""
    known = [variable for item in items for variable in item.variables]
    edges: dict[Node, list[Node]] = {}
    for number, variable in enumerate(known):
        visible = scope(variable.owner, variable.formula)
        read = [visible[name] for name in sorted(variable.formula.names()) if name in visible]
        edges["variable", number] = [("variable", known.index(one)) for one in read]
    for cycle in _cycles(edges):
        names = " → ".join(f"%{known[number].name}" for _, number in cycle)
        findings.refuse(known[cycle[0][1]].owner.link_id, "cycle", f"variables go in a circle: {names}")


def _cycles(edges: Mapping[Node, list[Node]]) -> list[list[Node]]:
    """One path for each circle met in a depth-first walk."""
    done: set[Node] = set()
    found: list[list[Node]] = []
    for start in edges:
        path: list[Node] = []
        on_path: set[Node] = set()
        stack: list[tuple[Node, Iterator[Node]]] = []
        _enter(start, edges, done, path, on_path, stack)
        while stack:
            node, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                path.pop()
                on_path.discard(node)
                done.add(node)
            elif target in on_path:
                found.append(path[path.index(target) :])
            else:
                _enter(target, edges, done, path, on_path, stack)
    return found


def _enter(
    node: Node,
    edges: Mapping[Node, list[Node]],
    done: set[Node],
    path: list[Node],
    on_path: set[Node],
    stack: list[tuple[Node, Iterator[Node]]],
) -> None:
    if node not in done:
        path.append(node)
        on_path.add(node)
        stack.append((node, iter(edges.get(node, ()))))


def _sorted(edges: Mapping[Node, list[Node]], calculated: Mapping[int, Item]) -> list[Node]:
    """Depth first: what is read before what reads it."""
    order: list[Node] = []
    seen: set[Node] = set()
    for start in (("value", ordinal) for ordinal in calculated):
        stack: list[tuple[Node, bool]] = [(start, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((target, False) for target in edges.get(node, ()) if target not in seen)
    return order


def _readers(edges: Mapping[Node, list[Node]], calculated: Mapping[int, Item]) -> dict[int, frozenset[int]]:
    """For each item, the calculations that lead back to its value."""
    found: dict[int, set[int]] = {}
    for ordinal in calculated:
        stack, seen = [("value", ordinal)], set[Node]()
        while stack:
            node = stack.pop()
            for target in edges.get(node, ()):
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
                    if target[0] == "value":
                        found.setdefault(target[1], set()).add(ordinal)
    return {ordinal: frozenset(readers) for ordinal, readers in found.items()}
