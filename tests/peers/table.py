"""The table server × contract row: what each test told, printed at the end of a run."""

from collections.abc import Callable, Iterable

import pytest

Tell = Callable[..., None]
"""tell(verdict, how=""): "passed" as the standard says, "adapts" when we do it another way there, "not offered"."""
VERDICTS = ("passed", "adapts", "not offered")
DIFFERENT: dict[tuple[str, str], tuple[str, str]] = {
    ("medplum", "what was accepted arrives once and is read back"): ("adapts", "entry by entry"),
    ("medplum", "a picture of a card arrives with its insurance"): ("adapts", "entry by entry"),
    ("sekmet", "a picture of a card arrives with its insurance"): ("adapts", "entry by entry"),
    **{
        (name, row): ("adapts", how)
        for name in ("medplum", "medplum_tx")
        for row, how in (
            ("what is refused as we send is never said to have arrived", "the part is told"),
            ("a long list is read to its end", "a longer page"),
            ("somebody elses entries never appear", "patient=Patient/7"),
            ("upcoming visits come with their patients", "each patient asked for"),
        )
    },
    ("sekmet", "what was accepted arrives once and is read back"): ("adapts", "entry by entry"),
    ("sekmet", "each kind is known or none and complete"): ("adapts", "some kinds not kept"),
    ("sekmet", "a record that moves as we send is not overwritten"): ("adapts", "seen by our own look"),
    ("sekmet", "answers arrive or are held where they could not be found again"): (
        "not offered",
        "held, nothing stored",
    ),
}
"""Where a server is not as the others: (peer, row) → verdict and how. Every other row has to pass."""


def row_of(nodeid: str) -> str:
    """A test's name as a sentence."""
    return nodeid.split("::")[-1].partition("[")[0].removeprefix("test_").replace("_", " ")


def lines(reports: Iterable[pytest.TestReport]) -> list[str]:
    found: dict[str, dict[str, str]] = {}
    for report in reports:
        told = dict(report.user_properties)
        if "peer" in told:
            text = f"{told.get('verdict')}: {told['how']}" if told.get("how") else str(told.get("verdict"))
            found.setdefault(row_of(report.nodeid), {})[str(told["peer"])] = (
                text if report.passed else f"{report.outcome.upper()}"
            )
    peers = sorted({name for row in found.values() for name in row})
    width = max((len(row) for row in found), default=0)
    heads = f"{'':{width}}  " + "  ".join(f"{name:34}" for name in peers)
    rows = [
        f"{row:{width}}  " + "  ".join(f"{told.get(name, '–'):34}" for name in peers) for row, told in found.items()
    ]
    return [heads, *rows]
