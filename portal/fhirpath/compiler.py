"""A tree to Python closures, once; evaluation then only calls them.

A Body takes the environment and gives a collection, evaluated against `env.this`.
A Stride takes the environment and the collection so far, and gives the next one.
"""

from __future__ import annotations

from itertools import groupby

from portal.fhirpath.arithmetic import negative, positive
from portal.fhirpath.ast import (
    Binary,
    Call,
    Empty,
    Expr,
    Indexer,
    Instance,
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
from portal.fhirpath.calls import APIS, Compiled, argument_run, checked
from portal.fhirpath.env import Env, Items
from portal.fhirpath.functions.filtering import repeat_member
from portal.fhirpath.functions.registry import Body
from portal.fhirpath.functions.typing import as_, is_
from portal.fhirpath.instances import made_element
from portal.fhirpath.joining import joined
from portal.fhirpath.model import Model
from portal.fhirpath.node import Node
from portal.fhirpath.shapes import Lookup, member_name, quick_test, recognised
from portal.fhirpath.strides import Stride, filtered, indexed, members, typed
from portal.fhirpath.types import TypeName


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
            case Instance(names, parts):
                made = TypeName(names, self.model, tree.pos)
                return made_element(made, {part: self.body(value) for part, value in parts}, tree.pos)
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
        if isinstance(head, Variable) and head.name in APIS and steps and isinstance(steps[0], Call):
            start = None
            strides = [self.call(steps[0], api=head.name), *self.strides(steps[1:], at_head=False)]
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

    def call(self, step: Call, api: str = "") -> Stride:
        known = checked(step, api)
        if not api and step.name == "where":
            test = quick_test(step.arguments[0])
            if test is not None:
                return filtered(*test)
        if not api and step.name == "repeat":
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
    return lambda env: [env.index]
