"""All that is known of a patient's results, as the pages need it: reports, waiting ones, histories, and what is new. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.labs.documents import Document
from portal.labs.results import Report, Result
from portal.labs.since import News
from portal.labs.trend import Series

NOT_SHARED, NOT_RELEASED = "not-shared", "not-released"


@dataclass(frozen=True)
class Overview:
    """What is known of a patient's results. `state` is one of five different things: known, none, could-not-look, not-shared
    (by the patient's choice) or not-released (the clinic says that something is on its way, and nothing else is there).

    `reason` is an English msgid: why there is nothing, or nothing newer. Reports, series and results are found by their
    address, which tells nothing about them.
    """

    state: str
    read_at: datetime | None = None
    source: str = ""
    reason: str = ""
    complete: bool = True
    reports: tuple[tuple[str, Report], ...] = ()
    trends: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Series] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    news: News | None = None
    papers: Mapping[str, Document] = field(default_factory=dict)
    caveat: str = ""

    @property
    def waiting(self) -> list[tuple[str, Report]]:
        """Reports that are on their way: nothing of them has been released yet."""
        return [(place, each) for place, each in self.reports if each.waiting]

    @property
    def years(self) -> list[tuple[str, list[tuple[str, Report]]]]:
        """Reports by year, the newest first; those without a date under ""."""
        groups: dict[str, list[tuple[str, Report]]] = {}
        for place, each in self.reports:
            if not each.waiting:
                year = str(each.when.at.year) if each.when and each.when.at else ""
                groups.setdefault(year, []).append((place, each))
        return list(groups.items())

    @property
    def histories(self) -> list[tuple[str, str]]:
        """Name and address of every analyte with more than one result, by name."""
        return sorted((self.known[code].name, place) for code, place in self.trends.items())

    def trend_of(self, code: str) -> str | None:
        """The address of an analyte's history, when there is more than one result."""
        return self.trends.get(code)

    def place_of(self, result: Result) -> str:
        """The address of one result, for asking about it."""
        return self.places[result.key]

    def paper_of(self, document: Document) -> str | None:
        """The address of a document, for taking it; None when there is nothing to take."""
        return next((place for place, each in self.papers.items() if each.key == document.key and each.there), None)

    def urgent(self, since: datetime) -> list[tuple[str, Report]]:
        """Reports since then in which the laboratory marks something as critical."""
        return [(place, each) for place, each in self.reports if each.urgent and each.when and each.when.order >= since]
