"""A search as it was asked for: its conditions as SQL, what it asks of the answer, and which words were understood."""
# ruff: noqa: S608  (table and column names come from the table of parameters; every value is a parameter)

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from portal.sandbox import indexing, moments
from portal.sandbox.errors import BadRequest
from portal.sandbox.parameters import COMPARTMENT, TYPES, Parameter, parameters

Pairs = list[tuple[str, str]]
Sql = tuple[str, list[str]]

MAX_COUNT, USUAL_COUNT = 500, 50
MAX_CONDITIONS, MAX_ALTERNATIVES = 50, 200
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


@dataclass(slots=True)
class Query:
    """`used` are the words that were understood, in the order of the request: the self link is made of them."""

    type: str
    used: Pairs = field(default_factory=list)
    where: list[Sql] = field(default_factory=list)
    sort: list[tuple[str, bool]] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    iterate: list[str] = field(default_factory=list)
    revinclude: list[str] = field(default_factory=list)
    count: int = USUAL_COUNT
    offset: int = 0
    total: bool = True
    only_count: bool = False

    def sql(self) -> Sql:
        """The conditions over `resource r`."""
        parts = [("r.type = ? AND r.body IS NOT NULL", [self.type]), *self.where]
        return " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]

    def order(self) -> Sql:
        """ORDER BY; resources without the element come last, and the id settles what is equal."""
        known = parameters(self.type)
        parts, values = [], []
        for name, descending in self.sort:
            column = {"date": "high" if descending else "low", "string": "folded", "token": "code"}.get(
                known[name].kind, "target"
            )
            chosen = f"(SELECT {'max' if descending else 'min'}({column}) FROM by_{known[name].kind} s"
            parts.append(f"{chosen} WHERE s.key = r.key AND s.param = ?) {'DESC' if descending else 'ASC'} NULLS LAST")
            values.append(name)
        return ", ".join([*parts, "r.id"]), values


def parse(resource_type: str, asked: Pairs, *, strict: bool) -> Query:
    """The query. Raises BadRequest for a value, modifier or result parameter it cannot honour; an unknown parameter only if strict."""
    if len(asked) > MAX_CONDITIONS:
        raise BadRequest(f"A search takes at most {MAX_CONDITIONS} parameters here.")
    query = Query(resource_type)
    known = parameters(resource_type)
    for name, value in asked:
        plain, _, modifier = name.partition(":")
        if value == "" or plain in IGNORED:
            continue
        if name in SHAPING:
            SHAPING[name](query, value)
        elif plain in known:
            query.where.append(_condition(known[plain], modifier, value))
        elif strict:
            raise BadRequest(f"{resource_type} cannot be searched by {name} here.")
        else:
            continue
        query.used.append((name, value))
    return query


def within_compartment(query: Query, patient: str) -> None:
    """Hold a search to the resources of one patient (`Patient/id`)."""
    if query.type == "Patient":
        query.where.append(("r.id = ?", [patient.removeprefix("Patient/")]))
    else:
        marks = ", ".join("?" * len(COMPARTMENT))
        query.where.append((f"{_exists('reference')} s.param IN ({marks}) AND s.target = ?)", [*COMPARTMENT, patient]))


def _exists(kind: str) -> str:
    return f"EXISTS (SELECT 1 FROM by_{kind} s WHERE s.key = r.key AND"


def _condition(parameter: Parameter, modifier: str, value: str) -> Sql:
    exists = f"{_exists(parameter.kind)} s.param = ?"
    if modifier == "missing":
        if value not in ("true", "false"):
            raise BadRequest(f"{parameter.name}:missing takes true or false.")
        return f"{'NOT ' if value == 'true' else ''}{exists})", [parameter.name]
    values = [VALUES[parameter.kind](parameter, modifier, part) for part in _split(value)]
    alternatives = " OR ".join(f"({sql})" for sql, _ in values)
    arguments = [argument for _, held in values for argument in held]
    return f"{'NOT ' if modifier == 'not' else ''}{exists} AND ({alternatives}))", [parameter.name, *arguments]


def _split(value: str) -> list[str]:
    """The alternatives of a value: `a,b` are two, `a\\,b` is one."""
    parts = re.split(r"(?<!\\),", value)
    if len(parts) > MAX_ALTERNATIVES:
        raise BadRequest(f"A parameter takes at most {MAX_ALTERNATIVES} values here.")
    return [re.sub(r"\\([,|$\\])", r"\1", part) for part in parts]


def _token(parameter: Parameter, modifier: str, value: str) -> Sql:
    _allow(parameter, modifier, "not")
    system, bar, code = value.rpartition("|")
    if not bar:
        return "s.code = ?", [code]
    return ("s.system = ? AND s.code = ?", [system, code]) if code else ("s.system = ?", [system])


def _string(parameter: Parameter, modifier: str, value: str) -> Sql:
    _allow(parameter, modifier, "exact", "contains")
    if modifier == "exact":
        return "s.exact = ?", [value]
    folded = re.sub(r"([%_\\])", r"\\\1", indexing.folded(value))
    return "s.folded LIKE ? ESCAPE '\\'", [f"{'%' if modifier == 'contains' else ''}{folded}%"]


def _reference(parameter: Parameter, modifier: str, value: str) -> Sql:
    _allow(parameter, modifier, *TYPES)
    target = modifier or parameter.only
    if target and "/" not in value:
        return "s.target = ?", [f"{target}/{value}"]
    if "/" in value or ":" in value:
        return ("s.target = ?", [value]) if "|" in value or _literal(value) else _canonical(value)
    return "s.target LIKE ? ESCAPE '\\'", ["%/" + re.sub(r"([%_\\])", r"\\\1", value)]


def _literal(value: str) -> bool:
    return bool(re.fullmatch(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}", value))


def _canonical(value: str) -> Sql:
    """A canonical without a version matches every version of it."""
    return "s.target = ? OR substr(s.target, 1, ?) = ?", [value, str(len(value) + 1), value + "|"]


def _date(parameter: Parameter, modifier: str, value: str) -> Sql:
    _allow(parameter, modifier)
    prefix, rest = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    found = moments.written(rest.replace(" ", "+"))
    if found is None:
        raise BadRequest(f"{parameter.name} needs a date such as 2026-11-21, ge2026-11 or le2026-11-21T10:00:00Z.")
    low, high = found
    return DATES[prefix][0], [{"low": low, "high": high}[name] for name in DATES[prefix][1]]


DATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "eq": ("s.low >= ? AND s.high <= ?", ("low", "high")),
    "ne": ("s.low < ? OR s.high > ?", ("low", "high")),
    "gt": ("s.high > ?", ("high",)),
    "lt": ("s.low < ?", ("low",)),
    "ge": ("s.high > ? OR (s.low >= ? AND s.high <= ?)", ("high", "low", "high")),
    "le": ("s.low < ? OR (s.low >= ? AND s.high <= ?)", ("low", "low", "high")),
    "sa": ("s.low >= ?", ("high",)),
    "eb": ("s.high <= ?", ("low",)),
    "ap": ("s.low < ? AND s.high > ?", ("high", "low")),
}
VALUES: dict[str, Callable[[Parameter, str, str], Sql]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "reference": _reference,
}


def _allow(parameter: Parameter, modifier: str, *allowed: str) -> None:
    if modifier and modifier not in allowed:
        raise BadRequest(f"{parameter.name} does not take the modifier :{modifier} here.")


def _whole(value: str, name: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value):
        raise BadRequest(f"{name} takes a whole number.")
    return int(value)


def _count(query: Query, value: str) -> None:
    query.count = min(_whole(value, "_count"), MAX_COUNT)
    query.only_count = query.only_count or query.count == 0


def _offset(query: Query, value: str) -> None:
    query.offset = _whole(value, "_offset")


def _sort(query: Query, value: str) -> None:
    for part in value.split(","):
        name = part.removeprefix("-")
        if name not in parameters(query.type):
            raise BadRequest(f"{query.type} cannot be sorted by {name} here.")
        query.sort.append((name, part.startswith("-")))


def _total(query: Query, value: str) -> None:
    _one_of("_total", value, ("none", "estimate", "accurate"))
    query.total = value != "none"


def _summary(query: Query, value: str) -> None:
    _one_of("_summary", value, ("count", "false"))
    query.only_count = query.only_count or value == "count"


def _one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise BadRequest(f"{name} takes one of {', '.join(allowed)} here.")


def _include(query: Query, value: str) -> None:
    query.include.append(_checked(value))


def _iterate(query: Query, value: str) -> None:
    query.iterate.append(_checked(value))


def _revinclude(query: Query, value: str) -> None:
    query.revinclude.append(_checked(value))


def _checked(value: str) -> str:
    source, _, rest = value.partition(":")
    name = rest.partition(":")[0]
    if source not in TYPES or name not in parameters(source) or parameters(source)[name].kind != "reference":
        raise BadRequest(f"{value} cannot be included; write Type:reference-parameter, such as Appointment:patient.")
    return value


IGNORED = ("_format", "_pretty")
SHAPING: dict[str, Callable[[Query, str], None]] = {
    "_count": _count,
    "_offset": _offset,
    "_sort": _sort,
    "_total": _total,
    "_summary": _summary,
    "_include": _include,
    "_include:iterate": _iterate,
    "_revinclude": _revinclude,
}
