"""The page that says whose record somebody's is: tied or not, the candidates, what was typed."""

from datetime import date
from typing import Any

from flask import render_template

from portal.actors import Actor
from portal.errors import Issue
from portal.fhir.values import name_of
from portal.review import service
from portal.review.forms import MatchForm


def page(
    actor: Actor,
    submission_id: str,
    patient_id: str,
    *,
    form: MatchForm | None = None,
    issues: list[Issue] | None = None,
    why: str = "",
) -> str:
    """`why`: what was typed to take the tie back."""
    found = service.candidates(actor, patient_id)
    return render_template(
        "review/match.html",
        submission_id=submission_id,
        found=found,
        form=form or MatchForm(formdata=None),
        issues=issues or [],
        why=why,
        born=_date(found.person.get("birthDate")),
        name_of=name_of,
        details_of=service.details_of,
    )


def _date(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
