"""What a result and a report are to a person: one thing measured, and what was reported together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.labs.documents import Document
from portal.labs.ranges import Range
from portal.labs.times import When
from portal.labs.values import Value
from portal.labs.words import CHANGED, STATUS, STATUS_SHORT, WAITING, WITHDRAWN, Flag


@dataclass(frozen=True)
class Earlier:
    """A value that was replaced, as it was reported then; `early` when it was said to be preliminary."""

    value: Value
    reported: When | None
    early: bool = False


@dataclass(frozen=True)
class Note:
    """What somebody wrote beside a result; `author` is "" when it does not say who."""

    text: str
    author: str = ""
    at: When | None = None


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
    notes: tuple[Note, ...] = ()
    components: tuple["Result", ...] = ()
    members: tuple["Result", ...] = ()
    replaced: tuple[Earlier, ...] = ()
    missing: int = 0
    labels: tuple[str, ...] = ()
    document: Document | None = None
    about: str = ""
    """whom or what it was measured of, where that is not the patient themself (an unborn child, a device)"""
    words: str = ""
    """the narrative as plain text, of a result that says everything there"""

    @property
    def flag(self) -> Flag | None:
        """The most serious mark; the laboratory's own word comes before what we read from the range."""
        return max(self.flags, key=lambda each: each.severity, default=None)

    @property
    def urgent(self) -> bool:
        """The laboratory itself says that somebody has to act on it."""
        return any(each.urgent for each in self.flags) and not self.withdrawn

    @property
    def waiting(self) -> bool:
        """Known to be on its way, and nothing of it is there yet."""
        return self.status in WAITING and not self.value.present and all(part.waiting for part in self.parts)

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
    documents: tuple[Document, ...] = ()
    words: str = ""
    """the narrative as plain text, of a report that says everything there"""
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
    def waiting(self) -> bool:
        """Nothing of it has been released yet: not a result, not a document, not a word."""
        told = self.documents or self.words or self.conclusion or self.conclusion_codes or self.missing
        return self.status in WAITING and not told and all(result.waiting for result in self.results)

    @property
    def urgent(self) -> tuple[Result, ...]:
        return tuple(row for row in self.rows if row.urgent)

    @property
    def papers(self) -> tuple[Document, ...]:
        """Every document in it, of the report and of its results."""
        return (*self.documents, *(row.document for row in self.rows if row.document))

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
