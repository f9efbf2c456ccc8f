"""The patient's pages of test results."""

from datetime import timedelta

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from portal import guard, pages
from portal.labs import service
from portal.labs.chart import chart
from portal.labs.times import When, when

bp = Blueprint("labs", __name__, url_prefix="/results")


@bp.get("")
def overview() -> ResponseReturnValue:
    return render_template("labs/overview.html", overview=service.results(guard.actor(), _fresh()))


@bp.get("/<address>")
def report(address: str) -> ResponseReturnValue:
    overview, found = service.report(guard.actor(), address, _fresh())
    grid = service.beside_earlier(overview, found)
    return render_template("labs/report.html", overview=overview, report=found, grid=grid)


@bp.get("/over-time/<address>")
def trend(address: str) -> ResponseReturnValue:
    overview, found = service.trend(guard.actor(), address, _fresh())
    drawn = chart(found) if found.points else None
    return render_template("labs/trend.html", overview=overview, series=found, chart=drawn)


@bp.app_template_filter("when_words")
def when_words(found: When | str | None) -> str:
    """A date no more exactly than it was given: 2026 · May 2026 · 3 May 2026 · 3 May 2026, 10:42."""
    moment = when(found) if isinstance(found, str) else found
    if moment is None:
        return ""
    words = _words(moment)
    return f"{words} – {_words(moment.until)}" if moment.until else words


@bp.app_template_filter("when_day")
def when_day(found: When) -> str:
    """The day without its time, where a column has room for no more."""
    if found.at is None or found.precision in ("year", "month"):
        return when_words(found)
    return str(format_date(found.at.date() if found.precision == "day" else found.at, "d MMM yyyy"))


@bp.app_template_filter("gettext_word")
def gettext_word(word: str) -> str:
    """A word of a list in the reader's language."""
    return pages.words(word)


def _words(moment: When) -> str:
    if moment.at is None or moment.precision == "year":
        return moment.text
    if moment.precision == "month":
        return pages.month(moment.at.date())
    return pages.day(moment.at.date()) if moment.precision == "day" else pages.moment(moment.at)


def _fresh() -> timedelta:
    return timedelta(minutes=current_app.config["SETTINGS"].fresh_minutes)
