"""The measures' pages: a period in plain words, charts and tables, and the same to take along."""

from datetime import date

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import guard
from portal.audit.events import Event
from portal.clock import now
from portal.downloads import handed_over
from portal.errors import NotFound
from portal.fhir import exact
from portal.measures import phrases, report, service, sheet, telling
from portal.measures.cells import Figures
from portal.measures.periods import KINDS
from portal.measures.words import Names

bp = Blueprint("measures", __name__, url_prefix="/desk/measures")


@bp.get("")
def shown() -> ResponseReturnValue:
    found = service.measures(guard.actor(), request.args.get("per", "month"), _start())
    told = telling.told(found, Names(guard.actor().clinic_id)) if found.chosen else None
    return render_template("measures/shown.html", shown=found, told=told, kinds=KINDS, span=phrases.span)


@bp.get("/table")
def table() -> ResponseReturnValue:
    found = _taken()
    if found is None:
        return redirect(url_for(".shown"))
    return handed_over(sheet.written(found, Names(guard.actor().clinic_id)), "text/csv", _name(found))


@bp.get("/report")
def measure_report() -> ResponseReturnValue:
    """A FHIR MeasureReport."""
    found, live = _taken(), guard.viewer()
    if found is None:
        return redirect(url_for(".shown"))
    made = report.report(found, live.clinic.name if live else "", now(), Names(guard.actor().clinic_id).of)
    return handed_over(exact.dumps(made), "application/fhir+json", _name(found))


@bp.get("/measure")
def measure() -> Response:
    """The FHIR Measure that a report names: what is counted and how. The same for every clinic."""
    return handed_over(exact.dumps(report.measure()), "application/fhir+json", "previsit-measure")


def _taken() -> Figures | None:
    """The figures of the period that is asked for; None while no period is over."""
    asked = request.args.get("per", "month"), _start()
    return service.measures(guard.actor(), *asked, event=Event.MEASURES_EXPORTED).chosen


def _name(figures: Figures) -> str:
    return f"previsit-measures-{figures.period.kind}-{figures.period.start.isoformat()}"


def _start() -> date | None:
    """The first day of the period that is asked for; NotFound for what is no day."""
    said = request.args.get("from", "")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError as odd:
        raise NotFound from odd
