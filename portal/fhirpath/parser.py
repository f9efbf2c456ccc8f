"""Tokens to a tree: precedence climbing over FHIRPath's grammar; anything else raises FhirPathSyntaxError."""

from __future__ import annotations

from decimal import Decimal

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
)
from portal.fhirpath.budget import MAX_DEPTH, MAX_EXPRESSION
from portal.fhirpath.errors import FhirPathSyntaxError
from portal.fhirpath.lexer import Token, tokens
from portal.fhirpath.quantity import CALENDAR_WORDS, Quantity
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime
from portal.fhirpath.values import Long

# How tightly an operator binds, from `implies` (1) to `*` (10); all group to the left.
BINDING = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4,
    "=": 5, "~": 5, "!=": 5, "!~": 5, "<=": 6, "<": 6, ">": 6, ">=": 6,
    "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
NAMES_TOO = frozenset({"as", "contains", "in", "is"})
RESERVED = frozenset({"and", "or", "xor", "implies", "div", "mod", "true", "false"})
MAX_DIGITS = 40
MAX_LONG = 2**63


def parse(text: str) -> Expr:
    """The tree of one whole expression."""
    if len(text) > MAX_EXPRESSION:
        raise FhirPathSyntaxError(f"an expression is longer than {MAX_EXPRESSION} characters", MAX_EXPRESSION)
    return Parser(tokens(text)).whole()


class Parser:
    """Walks the tokens once, left to right."""

    def __init__(self, found: list[Token]) -> None:
        self.found = found
        self.at = 0
        self.depth = 0

    # -- the tokens

    def next(self) -> Token:
        token = self.found[self.at]
        self.at += 1
        return token

    def here(self) -> Token:
        return self.found[self.at]

    def sees(self, mark: str) -> bool:
        token = self.found[self.at]
        return token.kind == "mark" and token.text == mark

    def take(self, mark: str) -> bool:
        if self.sees(mark):
            self.at += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise self.wrong(f"“{mark}” is missing")

    def wrong(self, reason: str) -> FhirPathSyntaxError:
        return FhirPathSyntaxError(reason, self.here().pos)

    # -- expressions

    def whole(self) -> Expr:
        tree = self.expression(0)
        if self.here().kind != "end":
            raise self.wrong("the expression should end here")
        return tree

    def expression(self, least: int) -> Expr:
        left = self.unary()
        while True:
            token = self.here()
            binding = BINDING.get(token.text, 0) if token.kind in ("mark", "word") else 0
            if binding == 0 or binding <= least:
                return left
            self.at += 1
            if token.text in ("is", "as"):
                left = TypeTest(token.text, left, self.type_name(), token.pos)
            else:
                left = Binary(token.text, left, self.expression(binding), token.pos)

    def unary(self) -> Expr:
        signs: list[Token] = []
        while self.sees("-") or self.sees("+"):
            signs.append(self.next())
            if len(signs) > MAX_DEPTH:
                raise self.wrong("too many signs")
        operand = self.path()
        for sign in reversed(signs):
            operand = Unary(sign.text, operand, sign.pos)
        return operand

    def path(self) -> Expr:
        start = self.here()
        head, steps = self.term()
        while True:
            if self.take("."):
                steps.append(self.invocation())
            elif self.sees("["):
                pos = self.next().pos
                steps.append(Indexer(self.nested(), pos))
                self.expect("]")
            else:
                break
        if not steps and head is not None:
            return head
        return Path(head, tuple(steps), start.pos)

    def nested(self) -> Expr:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(f"more than {MAX_DEPTH} brackets inside one another")
        tree = self.expression(0)
        self.depth -= 1
        return tree

    # -- terms

    def term(self) -> tuple[Expr | None, list[Step]]:
        token = self.here()
        if self.take("("):
            inner = self.nested()
            self.expect(")")
            return inner, []
        if self.take("{"):
            self.expect("}")
            return Empty(token.pos), []
        if self.take("%"):
            return Variable(self.variable_name(), token.pos), []
        if token.kind == "special":
            self.at += 1
            return Special(token.text[1:], token.pos), []
        literal = self.literal()
        if literal is not None:
            return literal, []
        name = self.made_type()
        return (self.instance(name), []) if name else (None, [self.invocation()])

    def made_type(self) -> tuple[str, ...]:
        """The name in front of the braces of an instance selector (FHIRPath 3.0, §5.2.3), `FHIR.Coding` or `Coding`."""
        kinds = [(token.kind, token.text) for token in self.found[self.at : self.at + 4]]
        words = [text if kind in ("word", "quoted") else "" for kind, text in kinds]
        if len(kinds) > 1 and words[0] and kinds[1] == ("mark", "{"):
            return (words[0],)
        if len(kinds) > 3 and words[0] and kinds[1] == ("mark", ".") and words[2] and kinds[3] == ("mark", "{"):
            return words[0], words[2]
        return ()

    def instance(self, name: tuple[str, ...]) -> Expr:
        pos = self.here().pos
        self.at += 2 * len(name)
        parts: list[tuple[str, Expr]] = []
        if not self.take(":"):
            parts.append(self.made_part())
            while self.take(","):
                parts.append(self.made_part())
        self.expect("}")
        return Instance(name, tuple(parts), pos)

    def made_part(self) -> tuple[str, Expr]:
        name = self.plain_name()
        self.expect(":")
        return name, self.nested()

    def variable_name(self) -> str:
        token = self.next()
        if token.kind in ("quoted", "string") or (token.kind == "word" and token.text not in RESERVED):
            return token.text + self.variable_tail(token)
        self.at -= 1
        raise self.wrong("a name should follow “%”")

    def variable_tail(self, token: Token) -> str:
        """`%vs-name` and `%ext-name` were written bare before N1; forms still do."""
        if token.kind != "word" or token.text not in ("vs", "ext") or not self.sees("-"):
            return ""
        dash, name = self.found[self.at], self.found[self.at + 1]
        if dash.pos != token.pos + len(token.text) or name.kind != "word" or name.pos != dash.pos + 1:
            return ""
        self.at += 2
        return f"-{name.text}"

    def literal(self) -> Expr | None:
        token = self.here()
        if token.kind == "string":
            self.at += 1
            return Literal(token.text, token.pos)
        if token.kind == "number":
            self.at += 1
            return self.number(token)
        if token.kind in ("datetime", "time"):
            self.at += 1
            return Literal(self.moment(token), token.pos)
        if token.kind == "word" and token.text in ("true", "false"):
            self.at += 1
            return Literal(token.text == "true", token.pos)
        return None

    def moment(self, token: Token) -> object:
        """A time with a zone was in the grammar before 2.0: it is compared and moved as it was then, and is nothing else."""
        value = moment(token)
        if isinstance(value, FhirTime) and value.offset is not None and (self.sees(".") or self.sees("[")):
            raise FhirPathSyntaxError("a time has no zone", token.pos)
        return value

    def number(self, token: Token) -> Expr:
        value = number(token)
        unit = self.here()
        if isinstance(value, Long):
            return Literal(value, token.pos)
        if unit.kind == "string":
            self.at += 1
            return Literal(Quantity(Decimal(value), unit.text), token.pos)
        if unit.kind == "word" and unit.text in CALENDAR_WORDS:
            self.at += 1
            return Literal(Quantity(Decimal(value), CALENDAR_WORDS[unit.text], calendar=True), token.pos)
        return Literal(value, token.pos)

    # -- steps

    def invocation(self) -> Step:
        token = self.next()
        if token.kind == "special":
            return Special(token.text[1:], token.pos)
        if token.kind != "quoted" and (token.kind != "word" or token.text in RESERVED):
            raise FhirPathSyntaxError("a name or a value is missing", token.pos)
        if token.kind == "word" and token.text in BINDING and token.text not in NAMES_TOO:
            raise FhirPathSyntaxError(f"“{token.text}” is an operator", token.pos)
        if self.take("("):
            return Call(token.text, self.arguments(token.text), token.pos)
        return Member(token.text, token.pos)

    def arguments(self, function: str) -> tuple[Expr, ...]:
        if self.take(")"):
            return ()
        found = [self.argument(function)]
        while self.take(","):
            found.append(self.argument(function))
        self.expect(")")
        return tuple(found)

    def argument(self, function: str) -> Expr:
        tree = self.nested()
        token = self.here()
        if function == "sort" and token.kind == "word" and token.text in ("asc", "desc"):
            self.at += 1
            return SortKey(tree, token.text == "desc", token.pos)
        return tree

    def type_name(self) -> tuple[str, ...]:
        names = [self.plain_name()]
        while self.take("."):
            names.append(self.plain_name())
        return tuple(names)

    def plain_name(self) -> str:
        token = self.next()
        if token.kind == "quoted" or (token.kind == "word" and token.text not in RESERVED):
            return token.text
        raise FhirPathSyntaxError("the name of a type is missing", token.pos)


def number(token: Token) -> int | Decimal:
    """An Integer, a Long (5L) or an exact Decimal; as many digits as the literal has."""
    text = token.text
    if len(text) > MAX_DIGITS:
        raise FhirPathSyntaxError(f"a number has more than {MAX_DIGITS} digits", token.pos)
    if "." in text:
        return Decimal(text)
    value = int(text.rstrip("L"))
    if value >= MAX_LONG and len(text) > 19:
        raise FhirPathSyntaxError("a whole number is too large", token.pos)
    return Long(value) if text.endswith("L") else value


def moment(token: Token) -> object:
    text = token.text[1:]
    if token.kind == "time":
        found: object = FhirTime.parse_with_zone(text[1:])
    elif "T" in text:
        found = FhirDateTime.parse(text)
    else:
        found = FhirDate.parse(text)
    if found is None:
        raise FhirPathSyntaxError("there is no such date or time", token.pos)
    return found
