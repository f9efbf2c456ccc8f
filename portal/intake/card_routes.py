"""A picture of an insurance card, looked at again by whoever gave it."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal import guard
from portal.downloads import handed_over
from portal.intake import cards, visits

bp = Blueprint("cards", __name__, url_prefix="/visits")


@bp.get("/<visit_id>/cards/<card_id>")
def picture(visit_id: str, card_id: str) -> ResponseReturnValue:
    actor = guard.actor()
    found = cards.picture(actor, visits.visit(actor, visit_id), card_id)
    return handed_over(found, "image/jpeg", "card")
