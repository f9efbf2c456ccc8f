"""The figures of a period as a table for a spreadsheet."""

from portal.downloads import sheet
from portal.measures.cells import Figures
from portal.measures.entries import entries
from portal.measures.words import FIGURES, VALUES, Names

HEAD = ("From", "To", "Figure", "Of", "What", "Number", "Unit", "Shown", "How it is counted")
MARK = "\ufeff"
"""So that a table program reads it as UTF-8."""


def written(figures: Figures, names: Names) -> str:
    """One row a number; one that is not shown has an empty cell and says so."""
    rows = []
    for each in entries(figures):
        figure = FIGURES[each.what]
        what = each.value if each.timed else "Timed" if figure.unit == "s" else VALUES[each.value]
        rows.append(
            (
                figures.period.start.isoformat(),
                figures.period.last.isoformat(),
                figure.title,
                names.of(each.what, each.thing) if each.thing else "",
                what,
                "" if each.number is None else each.number,
                "seconds" if each.timed else "",
                "no: fewer than five people, or it would tell a number about fewer" if each.number is None else "yes",
                figure.means,
            )
        )
    return MARK + sheet(HEAD, rows)
