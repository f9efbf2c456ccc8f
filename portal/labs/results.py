"""What a result and a report are to a person: one thing measured, and what was reported together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.labs.ranges import Range
from portal.labs.times import When
from portal.labs.values import Value
from portal.labs.words import CHANGED, STATUS, STATUS_SHORT, WITHDRAWN, Flag


@dataclass(frozen=True)
class Earlier:
    """A value that was replaced, as it was reported then."""

    value: Value
    reported: When | None


@dataclass(frozen=True)
class Result:
    """One thing measured. A panel has `members` or `components` and often no value of its own."""

    key: str
    code: str
    name: str
    long_name: str
    value: Value
    flags: tuple[Flag, ...]
    ranges: tuple[Range, ...]
    status: str
    measured: When | None = None
    reported: When | None = None
    performers: tuple[str, ...] = ()
    specimen: str = ""
    method: str = ""
    body_site: str = ""
    notes: tuple[str, ...] = ()
    components: tuple["Result", ...] = ()
    members: tuple["Result", ...] = ()
    replaced: tuple[Earlier, ...] = ()
    missing: int = 0

    @property
    def flag(self) -> Flag | None:
        """The most serious mark; the laboratory's own word comes before what we read from the range."""
        return max(self.flags, key=lambda each: each.severity, default=None)

    @property
    def withdrawn(self) -> bool:
        return self.status in WITHDRAWN

    @property
    def changed(self) -> bool:
        return self.status in CHANGED

    @property
    def status_words(self) -> str:
        return STATUS.get(self.status, self.status)

    @property
    def status_short(self) -> str:
        return STATUS_SHORT.get(self.status, "" if self.status == "final" else self.status)

    @property
    def when(self) -> When | None:
        return self.measured or self.reported

    @property
    def parts(self) -> tuple["Result", ...]:
        return (*self.members, *self.components)

    @property
    def bare(self) -> bool:
        """A heading only: no value of its own, but parts that have."""
        return not self.value.present and bool(self.parts)


@dataclass(frozen=True)
class Report:
    """What was reported together. `own` is False for results that came without a report."""

    key: str
    name: str
    long_name: str
    category: str
    status: str
    measured: When | None
    reported: When | None
    performers: tuple[str, ...] = ()
    specimens: tuple[str, ...] = ()
    conclusion: str = ""
    conclusion_codes: tuple[str, ...] = ()
    documents: tuple[Value, ...] = ()
    results: tuple[Result, ...] = ()
    missing: int = 0
    own: bool = True

    @property
    def when(self) -> When | None:
        return self.measured or self.reported

    @property
    def status_words(self) -> str:
        return STATUS.get(self.status, self.status)

    @property
    def status_short(self) -> str:
        return STATUS_SHORT.get(self.status, "" if self.status == "final" else self.status)

    @property
    def withdrawn(self) -> bool:
        return self.status in WITHDRAWN

    @property
    def rows(self) -> tuple[Result, ...]:
        """Every result in it, panels opened, in the laboratory's order."""
        return tuple(row for result in self.results for row in flatten(result))

    @property
    def notable(self) -> tuple[Result, ...]:
        """Results outside the usual, the most serious first."""
        marked = [row for row in self.rows if row.flag and row.flag.severity and not row.withdrawn]
        return tuple(sorted(marked, key=lambda row: -(row.flag.severity if row.flag else 0)))


def flatten(result: Result) -> Iterable[Result]:
    yield result
    for part in result.parts:
        yield from flatten(part)
