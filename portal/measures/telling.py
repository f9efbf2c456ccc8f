"""The measures as a page says them: sentences first, then charts and tables. Pure but for the clinic's own names of things."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.measures.cells import ANSWERS, ENDS, VERDICTS, Figures
from portal.measures.chart import Chart, columns
from portal.measures.periods import Period
from portal.measures.phrases import FEW, UNSAID, brief, counts, lasting, many, number, share, span
from portal.measures.service import Shown
from portal.measures.tally import ALL, SPARED, Middle
from portal.measures.words import VALUES, Names

MOST_ROWS = 12


@dataclass(frozen=True)
class Table:
    """`rows`: the words at the left, then one cell for each of `head` after the first."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    """rows that are only in the files"""


@dataclass(frozen=True)
class Part:
    """One section of the page. `none`: what it says when nothing of the kind happened."""

    key: str
    title: str
    sentence: str
    chart: Chart | None
    tables: tuple[Table, ...]
    note: str = ""


@dataclass(frozen=True)
class Told:
    lede: tuple[str, ...]
    parts: tuple[Part, ...]
    unread: int | None


def told(shown: Shown, names: Names) -> Told:
    """The chosen period in words."""
    assert shown.chosen is not None  # the page says by itself that there is none
    figures, series = shown.chosen, shown.series
    parts = (
        _spared(figures, series, names),
        _times(figures, series, names),
        _visits(figures, series, names),
        _corrections(figures, names),
        _decisions(figures, series),
        _queue(shown),
        _speed(figures, series),
        _messages(figures, names),
    )
    unread = sum(values[""][0] for values in figures.counts.get("unread", {}).values())
    return Told(tuple(told_first(figures)), parts, unread if unread >= 5 else None if unread else 0)


def told_first(figures: Figures) -> list[str]:
    """The period in up to five sentences; nothing is said of what is not known or was not."""
    said = []
    spared, sent = figures.of(SPARED, "", ALL), figures.of("sent")
    if spared:
        of = f" {many(sent, 'submission', 'submissions')} came in." if sent else ""
        said.append(
            f"Patients did not have to answer {many(spared, 'question', 'questions')}, because the clinic’s record already had "
            f"the answer and they only had to say that it is right, or had said so a short while ago.{of}"
        )
    taken = figures.of("taken", "", ALL)
    if taken:
        said.append(
            f"Staff did not have to type {many(taken, 'item', 'items')}: what the patient sent was accepted and is in the record."
        )
    whole = figures.middle("form")
    if whole:
        said.append(
            f"Half of all patients were done within {lasting(whole.middle)} of active time, everything together."
        )
    visits, ready = figures.of("visits", "", ALL), figures.of("visits", "", "sent")
    if visits and ready is not None:
        said.append(f"{share(ready, visits)} of {many(visits, 'visit', 'visits')} had been prepared here.")
    arrived = figures.middle("arrived")
    if arrived:
        said.append(f"Half of what is in the record now was there within {lasting(arrived.middle)} of being sent.")
    return said


def _over(series: Sequence[Figures], title: str, what: str, value: str = ALL) -> Chart:
    values = [(brief(each.period), each.of(what, "", value), number(each.of(what, "", value))) for each in series]
    return columns(title, values)


def _lengths(series: Sequence[Figures], title: str, what: str) -> Chart:
    """Medians over time; where nothing was timed there is no column."""
    values = []
    for each in series:
        found, timed = each.middle(what), each.of(what, "", ALL)
        words = lasting(found.middle) if found else UNSAID if timed is None else "none"
        values.append((brief(each.period), found.middle if found else None if timed is None else 0, words))
    return columns(title, values)


def _spared(figures: Figures, series: Sequence[Figures], names: Names) -> Part:
    rows = [
        (names.of("facts", kind), *(number(figures.of("facts", kind, answer)) for answer in (*ANSWERS, ALL)), _unchanged(figures, kind))
        for kind in figures.things("facts")
    ]  # fmt: skip
    if rows:
        rows.append(
            ("All", *(number(figures.of("facts", "", each)) for each in (*ANSWERS, ALL)), _unchanged(figures, ""))
        )
    given = [
        (names.of("given", task), *(number(figures.of("given", task, each)) for each in ("kept", "changed")))
        for task in figures.things("given")
        if "/" not in task
    ]
    head = ("What the clinic has", *(VALUES[each] for each in ANSWERS), "All", "Still right")
    tables = [Table(head, tuple(rows))] if rows else []
    tables += [Table(("Filled in from the record", "Kept", "Changed"), tuple(given))] if given else []
    again = [(names.of("again", kind), number(figures.of("again", kind))) for kind in figures.things("again")]
    tables += (
        [Table(("Not asked again, as it was confirmed a short while ago", "Times"), tuple(again))] if again else []
    )
    spared = figures.of(SPARED, "", ALL)
    return Part(
        "spared",
        "Questions that did not have to be answered",
        counts(
            spared,
            "{} questions: facts that patients only had to call right, answers from the record that they let stand, and what "
            "they had confirmed a short while ago.",
            "None in this time.",
        ),
        _over(series, "Questions that did not have to be answered", SPARED),
        tuple(tables),
    )


def _unchanged(figures: Figures, kind: str) -> str:
    same, whole = figures.of("facts", kind, "same"), figures.of("facts", kind, ALL)
    return UNSAID if same is None or whole is None else share(same, whole) if whole else "–"


def _middle(figures: Figures, what: str, thing: str, label: str) -> tuple[str, ...]:
    timed, found = figures.of(what, thing, ALL), figures.middle(what, thing)
    if found is None:
        return (label, number(timed), *(["–" if timed == 0 else UNSAID] * 3))
    return (label, number(timed), *map(lasting, (found.low, found.middle, found.high)))


_QUARTILES = ("Timed", "A quarter within", "Half within", "Three quarters within")


def _times(figures: Figures, series: Sequence[Figures], names: Names) -> Part:
    forms = [_middle(figures, "form", task, names.of("form", task)) for task in ["", *figures.things("form")]]
    listed = _longest(figures)
    pages = [_middle(figures, "page", place, names.of("page", place)) for place in listed]
    whole = figures.middle("form")
    return Part(
        "times",
        "How long it takes",
        f"Half of all patients were done within {lasting(whole.middle)}, and three quarters within {lasting(whole.high)}."
        if whole
        else "Too few, or none, could be timed.",
        _lengths(series, "Half were done within", "form"),
        (
            Table(("Form", *_QUARTILES), tuple(forms)),
            Table(("Page", *_QUARTILES), tuple(pages[:MOST_ROWS]), max(0, len(pages) - MOST_ROWS)),
        ),
        "Only active time counts: from when a page is shown until it is saved. A page that somebody left for more than ten "
        "minutes is not timed, and neither is the form it belongs to.",
    )


def _longest(figures: Figures) -> list[str]:
    """Pages, those that take longest first."""
    found = {place: figures.middle("page", place) for place in figures.things("page")}
    return sorted(found, key=lambda place: (-(m.middle if (m := found[place]) else -1), place))


def _visits(figures: Figures, series: Sequence[Figures], names: Names) -> Part:
    visits = figures.of("visits", "", ALL)
    rows = [
        (VALUES[each], number(figures.of("visits", "", each)), _share_of(figures.of("visits", "", each), visits))
        for each in ENDS
    ]
    rows.append(("All", number(visits), ""))
    places = sorted(figures.things("left"), key=lambda place: (-(figures.of("left", place) or 0), place))
    left = [(names.of("left", place), number(figures.of("left", place))) for place in places]
    return Part(
        "visits",
        "Visits prepared, and where people stopped",
        _prepared(figures.of("visits", "", "sent"), visits),
        _over(series, "Visits that were prepared", "visits", "sent"),
        (
            Table(("By the end of the day of the visit", "Visits", "Share"), tuple(rows)),
            *([Table(("Begun, and left before", "Visits"), tuple(left[:MOST_ROWS]), max(0, len(left) - MOST_ROWS))] if left else []),
        ),
    )  # fmt: skip


def _prepared(ready: int | None, visits: int | None) -> str:
    if visits == 0:
        return "There were no visits in this time."
    if visits is None or ready is None:
        return FEW
    return f"{ready:,} of {many(visits, 'visit', 'visits')} had been prepared here."


def _share_of(part: int | None, whole: int | None) -> str:
    return UNSAID if part is None or whole is None else share(part, whole) if whole else "–"


def _corrections(figures: Figures, names: Names) -> Part:
    fields = {place for place in figures.things("given") if "/" in place} | set(figures.things("mended"))

    def weight(place: str) -> tuple[int, str]:
        return -(figures.of("given", place, "changed") or 0) - (figures.of("mended", place) or 0), place

    rows = [
        (
            names.of("given", place),
            number(figures.of("given", place, "kept")),
            number(figures.of("given", place, "changed")),
            number(figures.of("mended", place)),
        )
        for place in sorted(fields, key=weight)
    ]
    head = ("Question", "Filled in and kept", "Filled in and changed", "Changed after a problem was shown")
    changed = figures.of("given", "", "changed")
    return Part(
        "corrections",
        "Corrections",
        counts(
            changed,
            "{} answers that had been filled in from the record were changed by patients.",
            "No answer that had been filled in from the record was changed.",
        ),
        None,
        (Table(head, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS)),) if rows else (),
    )


def _decisions(figures: Figures, series: Sequence[Figures]) -> Part:
    whole = figures.of("decisions", "", ALL)
    rows = [
        (VALUES[each], number(figures.of("decisions", "", each)), _share_of(figures.of("decisions", "", each), whole))
        for each in VERDICTS
    ]
    rows.append(("All", number(whole), ""))
    typed = [(VALUES[each], number(figures.of("taken", "", each))) for each in ("untouched", "edited", ALL)]
    taken = figures.of("taken", "", ALL)
    return Part(
        "decisions",
        "What staff decided, and did not have to type",
        counts(
            taken,
            "{} items reached the record without anybody typing them again.",
            "Nothing has reached the record in this time.",
        ),
        _over(series, "Items that nobody had to type", "taken"),
        (
            Table(("What staff decided", "Items", "Share"), tuple(rows)),
            Table(("In the record", "Items"), tuple(typed)),
        ),
    )


def _queue(shown: Shown) -> Part:
    now = shown.waiting
    ages = f" Half of them have waited {lasting(now.ages.middle)} or longer." if now.ages else ""
    first = (
        "Fewer than five wait for staff now."
        if now.many is None
        else f"{many(now.many, 'submission waits', 'submissions wait')} for staff now.{ages}"
        if now.many
        else "Nothing waits for staff now."
    )
    values, rows = [], []
    for each in shown.series:
        waited, found = each.queue
        values.append((brief(each.period), waited, number(waited)))
        rows.append(_waited(each.period, waited, found))
    head = ("At the end of", "Waiting", "Half had waited", "A quarter had waited")
    return Part(
        "queue",
        "The queue",
        first,
        columns("Submissions waiting at the end", values),
        (Table(head, tuple(reversed(rows))),),
        "A submission waits from when it was sent until staff first accept it or give it back.",
    )


def _waited(period: Period, waited: int | None, found: Middle | None) -> tuple[str, ...]:
    ages = (lasting(found.middle), lasting(found.high)) if found else (("–", "–") if waited == 0 else (UNSAID, UNSAID))
    return (span(period), number(waited), *(f"{age} or longer" if found else age for age in ages))


def _speed(figures: Figures, series: Sequence[Figures]) -> Part:
    steps = (
        ("decided", "From sent to decided"),
        ("delivered", "From accepted to in the record"),
        ("arrived", "From sent to in the record"),
    )
    arrived = figures.middle("arrived")
    return Part(
        "speed",
        "From sent to in the record",
        f"Half was in the record within {lasting(arrived.middle)} of being sent." if arrived else "Too few, or none, arrived.",
        _lengths(series, "Half was in the record within", "arrived"),
        (Table(("", *_QUARTILES), tuple(_middle(figures, what, "", label) for what, label in steps)),),
    )  # fmt: skip


def _messages(figures: Figures, names: Names) -> Part:
    made, used = figures.of("invitations", "", "made"), figures.of("invitations", "", "used")
    rows = [
        (names.of("messages", kind), number(figures.of("messages", kind, "sent")), number(figures.of("messages", kind, "failed")))
        for kind in figures.things("messages")
    ]  # fmt: skip
    return Part(
        "messages",
        "Invitations and messages",
        f"Invitations made: {number(made)}. Invitations used: {number(used)}.",
        None,
        (Table(("Message", "Sent", "Could not be sent"), tuple(rows)),) if rows else (),
        "" if rows else "No message was sent in this time.",
    )
