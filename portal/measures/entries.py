"""Every number of a period as one list: what the CSV and the MeasureReport hold, and nothing else. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.measures.cells import ANSWERS, ENDS, VERDICTS, Figures
from portal.measures.tally import ALL, TIMED

VALUES: dict[str, tuple[str, ...]] = {
    "sent": ("",),
    "spared": (ALL,),
    "facts": (*ANSWERS, ALL),
    "given": ("kept", "changed"),
    "again": ("",),
    "mended": ("",),
    "visits": (*ENDS, ALL),
    "left": ("",),
    "decisions": (*VERDICTS, ALL),
    "taken": ("untouched", "edited", ALL),
    "invitations": ("made", "used"),
    "messages": ("sent", "failed"),
}
QUARTILES = ("lower quartile", "median", "upper quartile")
WHOLE = frozenset(
    [
        "sent",
        "spared",
        "facts",
        "given",
        "form",
        "visits",
        "decisions",
        "taken",
        "decided",
        "delivered",
        "arrived",
        "invitations",
    ],
)
"""Which figures have a number for everything together."""


@dataclass(frozen=True)
class Entry:
    """One number. `number` is None when it is not shown; for a time there is None also when nothing was timed (`of` is 0)."""

    what: str
    thing: str
    value: str
    number: int | None
    timed: bool = False
    of: int | None = None
    """how many times a quartile was taken from"""


def entries(figures: Figures) -> Iterator[Entry]:
    for what in (*VALUES, *sorted(TIMED - {"waiting"})):
        for thing in [*([""] if what in WHOLE else []), *figures.things(what)]:
            yield from _times(figures, what, thing) if what in TIMED else _counts(figures, what, thing)


def _counts(figures: Figures, what: str, thing: str) -> Iterator[Entry]:
    return (Entry(what, thing, value, figures.of(what, thing, value)) for value in VALUES[what])


def _times(figures: Figures, what: str, thing: str) -> Iterator[Entry]:
    many, found = figures.of(what, thing, ALL), figures.middle(what, thing)
    yield Entry(what, thing, ALL, many)
    if many != 0:
        values = (found.low, found.middle, found.high) if found else (None, None, None)
        yield from (Entry(what, thing, name, value, True, many) for name, value in zip(QUARTILES, values, strict=True))
