"""The tree of a parsed expression: small frozen dataclasses, `pos` is the offset in the text.

A path is flat: `%resource.repeat(item).where(linkId = 'x').answer` is
    Path(Variable("resource"), (Call("repeat", …), Call("where", …), Member("answer")))
and a path without a head starts from `$this`: `name.given` is Path(None, (Member("name"), Member("given"))).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A constant: bool, int, Long, Decimal, str, FhirDate, FhirDateTime, FhirTime or Quantity."""

    value: object
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Empty:
    """`{}`."""

    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """`%name`, without the percent sign."""

    name: str
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Special:
    """`$this`, `$index` or `$total`, without the dollar sign."""

    name: str
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A step to an element: `.given`."""

    name: str
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A step through a function: `.where(…)`."""

    name: str
    arguments: tuple[Expr, ...]
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Indexer:
    """A step to one item: `[0]`."""

    index: Expr
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A head and the steps from it; head None means `$this`."""

    head: Expr | None
    steps: tuple[Step, ...]
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`-x` or `+x`."""

    operator: str
    operand: Expr
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`left operator right`; operators in lower case as written (`and`, `=`, `div`, …)."""

    operator: str
    left: Expr
    right: Expr
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TypeTest:
    """`operand is Name` or `operand as Name`; name holds one or two parts (`("FHIR", "Patient")`)."""

    operator: str
    operand: Expr
    name: tuple[str, ...]
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """`Coding { system: 's', code: 'c' }`: an element that is made; name as in TypeTest, parts by name."""

    name: tuple[str, ...]
    parts: tuple[tuple[str, Expr], ...]
    pos: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SortKey:
    """An argument of sort(): `expression`, `expression asc` or `expression desc`."""

    operand: Expr
    descending: bool
    pos: int = 0


Step = Member | Call | Indexer | Special
Expr = Literal | Empty | Variable | Special | Path | Unary | Binary | TypeTest | Instance | SortKey
Part = Expr | Step


@dataclass(slots=True)
class Walk:
    """Counts and names gathered from a tree."""

    nodes: int = 0
    variables: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)


def children(part: Part) -> tuple[Part, ...]:
    match part:
        case Path(head, steps):
            return steps if head is None else (head, *steps)
        case Call(_, arguments):
            return arguments
        case Indexer(index):
            return (index,)
        case Binary(_, left, right):
            return (left, right)
        case Instance(_, parts):
            return tuple(value for _, value in parts)
        case Unary(_, operand) | TypeTest(_, operand, _) | SortKey(operand, _):
            return (operand,)
    return ()


def walk(part: Part) -> Iterator[Part]:
    """Every part of the tree, without recursion."""
    waiting: list[Part] = [part]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def summary(part: Part) -> Walk:
    """How many parts the tree has, which variables it reads and which it defines by defineVariable('name')."""
    found = Walk()
    for current in walk(part):
        found.nodes += 1
        if isinstance(current, Variable):
            found.variables.add(current.name)
        elif isinstance(current, Call) and current.name == "defineVariable" and current.arguments:
            first = current.arguments[0]
            if isinstance(first, Literal) and isinstance(first.value, str):
                found.defined.add(first.value)
    return found
