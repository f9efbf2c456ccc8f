"""The pages of a search put together: each resource once, and whether the server showed all it has. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from portal.ehr import address
from portal.ehr.errors import NotFhir
from portal.fhir.bundle import entries, link
from portal.fhir.resources import Json, key_of

MOST_RESOURCES = 10_000
LONGEST_PAGE = 1000

Params = list[tuple[str, str]]


@dataclass(frozen=True)
class Found:
    """What a search found. `complete` is False, with `why`, when there is more than was read or believed.

    `echoed` tells whether the server's `self` link confirmed every filter (it raises FilterIgnored when it denied one; a
    server that gives no `self` link leaves this False, and the caller has to check the resources themselves).
    `read_at` allows for the age that a cache on the way admits.
    """

    matches: list[Json] = field(default_factory=list)
    included: list[Json] = field(default_factory=list)
    complete: bool = True
    why: str | None = None
    echoed: bool = True
    read_at: datetime | None = None


class Gathered:
    """The pages so far. `asked` is the length of page that was wanted, None when that was left to the server."""

    def __init__(self, asked: int | None = None) -> None:
        self._matches: dict[str, Json] = {}
        self._included: dict[str, Json] = {}
        self._seen: set[str] = set()
        self._why: str | None = None
        self._read_at: datetime | None = None
        self._asked = asked
        self._total: int | None = None
        self._last = 0
        self._ended = False
        self.echoed = False

    def add(self, url: str, bundle: Json, at: datetime) -> None:
        if bundle.get("type") != "searchset":
            raise NotFhir("The clinic's system answered a search with something else.")
        self._seen.add(url)
        self._read_at = min(at, self._read_at or at)
        self._total = _number(bundle.get("total"))
        self._last = 0
        for mode, resource in entries(bundle):
            if mode == "outcome":
                continue
            self._last += mode != "include"
            key = key_of(resource)
            if not key:
                self._why = self._why or "an entry without a type or an id was left out"
            elif mode == "include":
                self._included.setdefault(key, resource)
            else:
                self._matches.setdefault(key, resource)

    def next(self, bundle: Json, base: str, most: int, *, over: bool) -> str | None:
        """The next page's address when it may be followed; else why the reading stops here is kept."""
        url = link(bundle, "next")
        if url is None:
            self._ended = True
            return None
        if not url.startswith(("http://", "https://")):
            url = f"{base}/{url.lstrip('/')}" if not url.startswith("?") else f"{base}{url}"
        stops: dict[str, Callable[[], bool]] = {
            "the next page is on another server": lambda: not address.inside(base, url),
            "the pages go round in a circle": lambda: url in self._seen,
            "there are more pages than we read": lambda: (
                len(self._seen) >= most or len(self._matches) >= MOST_RESOURCES
            ),
            "reading all pages took too long": lambda: over,
        }
        self._why = next((why for why, holds in stops.items() if holds()), self._why)
        return None if any(holds() for holds in stops.values()) else url

    @property
    def cut(self) -> bool:
        """The server says that this is the last page, yet it counts more, or filled the only page and counts nothing."""
        if not self._ended:
            return False
        if self._total is not None:
            return self._total > len(self._matches)
        return self._asked is not None and len(self._seen) == 1 and self._last >= self._asked

    @property
    def wanted(self) -> int:
        """How long a page would have to be to show all."""
        return max(self._total or 0, 2 * len(self._matches))

    def judge(self, before: "Gathered") -> None:
        """After a second look with a longer page: still cut, or not a single one more than the full page `before`?"""
        same = self._total is None and len(self._seen) == 1 and len(self._matches) <= len(before._matches)
        if self.cut or same:
            self._why = self._why or "the server does not show all it has"

    def found(self) -> Found:
        why = self._why or ("the server counts more than it shows" if self.cut else None)
        return Found(
            list(self._matches.values()),
            list(self._included.values()),
            why is None,
            why,
            self.echoed,
            self._read_at,
        )


def count(asked: Params) -> int | None:
    """The `_count` of a question."""
    return next((int(value) for name, value in asked if name == "_count" and value.isdigit()), None)


def wider(asked: Params, wanted: int) -> Params:
    """The same question for a page of this length."""
    length = str(min(max(wanted, 1), LONGEST_PAGE))
    return [*(each for each in asked if each[0] != "_count"), ("_count", length)]


def _number(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
