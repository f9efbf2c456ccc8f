"""A tree to Python closures, once; evaluation then only calls them.

A Body takes the environment and gives a collection, evaluated against `env.this`.
A Stride takes the environment and the collection so far, and gives the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from portal.fhirpath.ast import (
    Binary,
    Call,
    Empty,
    Expr,
    Indexer,
    Literal,
    Member,
    Path,
    SortKey,
    Special,
    Step,
    TypeTest,
    Unary,
    Variable,
    walk,
)
from portal.fhirpath.calls import Compiled, argument_run, checked
from portal.fhirpath.env import Env, Items, one, truth
from portal.fhirpath.equality import distinct
from portal.fhirpath.errors import FhirPathBudgetExceeded, FhirPathEvaluationError
from portal.fhirpath.functions.filtering import repeat_member
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.functions.typing import as_, is_
from portal.fhirpath.model import Model
from portal.fhirpath.node import Node
from portal.fhirpath.operators import LOGIC, OPERATORS, negative, positive
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.shapes import Lookup, member_name, quick_test, recognised
from portal.fhirpath.types import TypeName

Stride = Callable[[Env, Items], Items]


class Compiler:
    """Builds the closures of one expression for one model."""

    def __init__(self, model: Model | None) -> None:
        self.model = model

    def body(self, tree: Expr) -> Body:
        match tree:
            case Literal(value):
                constant = [value]
                return lambda env: constant
            case Empty():
                return lambda env: []
            case Variable(name):
                return lambda env: env.variable(name)
            case Special(special_name):
                return special(special_name)
            case Path(head, steps):
                return self.path(head, steps)
            case Unary(operator, operand):
                return self.signed(operator, self.body(operand))
            case TypeTest(operator, operand, type_name):
                return self.type_test(operator, self.body(operand), TypeName(type_name, self.model, tree.pos))
            case SortKey(operand):
                return self.body(operand)
            case Binary():
                return self.chain(tree)

    # -- operators

    def signed(self, operator: str, operand: Body) -> Body:
        run = negative if operator == "-" else positive
        return lambda env: run(env, operand(env))

    def type_test(self, operator: str, operand: Body, name: TypeName) -> Body:
        run = is_ if operator == "is" else as_
        return lambda env: run(env, operand(env), name)

    def chain(self, tree: Binary) -> Body:
        """`a + b - c …` is one loop, however long."""
        rest: list[tuple[str, Expr]] = []
        left: Expr = tree
        while isinstance(left, Binary):
            rest.append((left.operator, left.right))
            left = left.left
        made = self.body(left)
        rest.reverse()
        for operator, group in groupby(rest, key=lambda pair: pair[0]):
            made = joined(operator, made, [self.body(right) for _, right in group])
        return made

    # -- paths

    def path(self, head: Expr | None, steps: tuple[Step, ...]) -> Body:
        found = recognised(head, steps)
        if found is not None:
            return self.defined(steps, self.looked_up(found, head, steps))
        return self.defined(steps, self.walked(head, steps))

    def defined(self, steps: tuple[Step, ...], run: Body) -> Body:
        """Variables made by defineVariable() end with the path that made them."""
        if not any(isinstance(part, Call) and part.name == "defineVariable" for step in steps for part in walk(step)):
            return run

        def scoped(env: Env) -> Items:
            before = env.defined
            try:
                return run(env)
            finally:
                env.defined = before

        return scoped

    def walked(self, head: Expr | None, steps: tuple[Step, ...]) -> Body:
        if isinstance(head, Variable) and head.name == "factory" and steps and isinstance(steps[0], Call):
            start = None
            strides = [self.call(steps[0], factory=True), *self.strides(steps[1:], at_head=False)]
        else:
            start = None if head is None else self.body(head)
            strides = self.strides(steps, at_head=head is None)
        if start is None and len(strides) == 1:
            stride = strides[0]
            return lambda env: stride(env, env.this)

        def run(env: Env) -> Items:
            items = env.this if start is None else start(env)
            for stride in strides:
                items = stride(env, items)
            return items

        return run

    def looked_up(self, found: Lookup, head: Expr | None, steps: tuple[Step, ...]) -> Body:
        """The Host may know the items by linkId; else the path is walked as written."""
        start = self.walked(head, steps[: found.start]) if found.start or head is not None else None
        slow = self.strides(steps[found.start : found.end], at_head=head is None and found.start == 0)
        rest = self.strides(steps[found.end :], at_head=False)
        how, link_id = found.how, found.link_id

        def run(env: Env) -> Items:
            items = env.this if start is None else start(env)
            env.left -= 1 + len(items)
            known = None
            if env.host is not None and len(items) == 1 and type(items[0]) is Node:
                known = env.host.items_by_link_id(items[0], how, link_id)
            if known is None:
                for stride in slow:
                    items = stride(env, items)
            else:
                model = env.model
                items = [item if type(item) is Node else Node(item, None, model) for item in known]
            for stride in rest:
                items = stride(env, items)
            return items

        return run

    def strides(self, steps: tuple[Step, ...], at_head: bool) -> list[Stride]:
        made: list[Stride] = []
        names: list[str] = []
        for number, step in enumerate(steps):
            if isinstance(step, Member):
                if number == 0 and at_head and step.name[:1].isupper():
                    made.append(typed(step.name))
                else:
                    names.append(step.name)
                continue
            if names:
                made.append(members(names))
                names = []
            made.append(self.stride(step))
        if names:
            made.append(members(names))
        return made

    def stride(self, step: Step) -> Stride:
        match step:
            case Indexer(index):
                return indexed(self.body(index))
            case Special(name):
                found = special(name)
                return lambda env, items: found(env)
            case Call():
                return self.call(step)
        raise AssertionError(step)

    def call(self, step: Call, factory: bool = False) -> Stride:
        known = checked(step, factory)
        if not factory and step.name == "where":
            test = quick_test(step.arguments[0])
            if test is not None:
                return filtered(*test)
        if not factory and step.name == "repeat":
            name = member_name(step.arguments[0])
            if name is not None:
                return lambda env, items: repeat_member(env, items, name)
        compiled = [self.argument(kind, tree) for kind, tree in known.pairs]
        return argument_run(known.function, compiled)

    def argument(self, kind: str, tree: Expr) -> Compiled:
        if kind == "type":
            return Compiled(kind, TypeName(type_parts(tree), self.model, tree.pos))
        if kind == "sort":
            descending = isinstance(tree, SortKey) and tree.descending
            if isinstance(tree, Unary) and tree.operator == "-":  # N1 wrote a descending key as -key
                descending, tree = True, tree.operand
            return Compiled(kind, (self.body(tree), descending))
        return Compiled(kind, self.body(tree))


def type_parts(tree: Expr) -> tuple[str, ...]:
    if isinstance(tree, Path) and tree.head is None:
        names = tuple(step.name for step in tree.steps if isinstance(step, Member))
        if len(names) == len(tree.steps):
            return names
    if isinstance(tree, Literal) and isinstance(tree.value, str):
        return tuple(tree.value.split("."))
    return ("?",)


def special(name: str) -> Body:
    if name == "this":
        return lambda env: env.this
    if name == "total":
        return lambda env: env.total

    def index(env: Env) -> Items:
        if env.index is None:
            raise FhirPathEvaluationError("$index has a value only inside a function that loops")
        return [env.index]

    return index


def joined(operator: str, first: Body, rest: list[Body]) -> Body:
    """One operator, applied from the left."""
    if operator == "|":
        return union(first, rest)
    if operator in LOGIC:
        return logical(operator, first, rest)
    run = OPERATORS[operator]
    if len(rest) == 1:
        second = rest[0]

        def pair(env: Env) -> Items:
            env.left -= 2
            return run(env, first(env), second(env))

        return pair

    def several(env: Env) -> Items:
        found = first(env)
        for body in rest:
            env.left -= 2
            found = run(env, found, body(env))
        return found

    return several


def union(first: Body, rest: list[Body]) -> Body:
    def run(env: Env) -> Items:
        found = list(first(env))
        for body in rest:
            found.extend(body(env))
        return distinct(env, found)

    return run


def logical(operator: str, first: Body, rest: list[Body]) -> Body:
    """The right side is left alone when the left one settles the answer."""
    combine, settles = LOGIC[operator]
    what = f"“{operator}”"

    def run(env: Env) -> Items:
        found = truth(first(env), what)
        for body in rest:
            env.left -= 1
            if found is settles and settles is not None:
                if operator == "implies":
                    found = True
                    continue
                return [found]
            found = combine(found, truth(body(env), what))
        return [] if found is None else [found]

    return run


def members(names: list[str]) -> Stride:
    """`.item.answer.value`: elements by name."""

    def run(env: Env, items: Items) -> Items:
        for name in names:
            out: Items = []
            for item in items:
                if type(item) is Node:
                    item.collect(name, out)
                elif type(item) is Quantity:
                    out.extend(quantity_part(item, name))
            env.left -= 1 + len(items) + len(out)
            if env.left < 0:
                raise FhirPathBudgetExceeded("the expression takes too many steps")
            items = out
        return items

    return run


def quantity_part(quantity: Quantity, name: str) -> Items:
    if name == "value":
        return [quantity.value]
    return [quantity.unit] if name in ("unit", "code") else []


def typed(name: str) -> Stride:
    """`Patient` at the start of a path: the item itself when it is one, else an element of that name."""
    plain = members([name])

    def run(env: Env, items: Items) -> Items:
        kept = [item for item in items if is_named(item, name)]
        return kept or plain(env, items)

    return run


def is_named(item: object, name: str) -> bool:
    if type(item) is not Node:
        return False
    if item.type is not None and name in item.type.ancestors:
        return True
    return type(item.value) is dict and item.value.get("resourceType") == name


def indexed(index: Body) -> Stride:
    def run(env: Env, items: Items) -> Items:
        number = one(index(env), "an index")
        if number is None:
            return []
        if not isinstance(number, int) or isinstance(number, bool):
            raise FhirPathEvaluationError("an index is a whole number")
        return [items[number]] if 0 <= number < len(items) else []

    return run


def has_text(node: Node, name: str, wanted: str) -> bool:
    """Whether the only child of that name is that text; a date is no text."""
    element = node.type.elements.get(name) if node.type is not None else None
    if element is not None and element.type is not None and element.type.primitive and not element.type.kind:
        raw = node.value.get(element.key) if type(node.value) is dict else None
        if type(raw) is str or raw is None:
            return bool(raw == wanted)
    found: Items = []
    node.collect(name, found)
    return len(found) == 1 and bool(found[0].system() == wanted)


def filtered(name: str, wanted: str) -> Stride:
    """`where(linkId = 'x')` and its like, without a closure per item."""

    def run(env: Env, items: Items) -> Items:
        env.left -= 2 * len(items)
        if env.left < 0:
            raise FhirPathBudgetExceeded("the expression takes too many steps")
        kept: Items = []
        for item in items:
            if type(item) is Node and has_text(item, name, wanted):
                kept.append(item)
        return kept

    return run
