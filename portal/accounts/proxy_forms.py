"""What is typed to let somebody answer for a patient: at the desk, and by the patient themself."""

from datetime import timedelta

from flask_wtf import FlaskForm
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import Length

from portal.accounts import ages
from portal.accounts.forms import BirthDateForm
from portal.accounts.granting import Wanted

_SHORT, _LONG = [Length(max=200)], [Length(max=500)]


class DeskForm(FlaskForm):  # type: ignore[misc]
    """All texts as typed; dates as YYYY-MM-DD."""

    name = StringField(validators=_SHORT)
    birth_date = StringField(validators=_SHORT)
    email = StringField(validators=_SHORT)
    relation = RadioField(choices=[], validate_choice=False)
    scope = SelectMultipleField(choices=[], validate_choice=False)
    until = StringField(validators=_SHORT)
    reason = StringField(validators=_LONG)
    reference = StringField(validators=_SHORT)

    def wanted(self) -> Wanted:
        return Wanted(
            name=(self.name.data or "")[:300],
            birth_date=self.birth_date.data or "",
            email=self.email.data or "",
            relation=self.relation.data or "",
            scope=tuple(self.scope.data or ()),
            until=self.until.data or "",
            reason=(self.reason.data or "")[:500],
            reference=self.reference.data or "",
        )


class HelperForm(BirthDateForm):
    """The patient's own: the helper's birth date in three boxes, and how long as a choice."""

    name = StringField(validators=_SHORT)
    relation = RadioField(choices=[], validate_choice=False)
    scope = SelectMultipleField(choices=[], validate_choice=False)
    until = RadioField(choices=[], validate_choice=False)

    def wanted(self, clinic_id: str) -> Wanted:
        """`until` is one of LASTS; anything else lasts for the shortest time."""
        days = LASTS.get(self.until.data or "", LASTS["month"])
        last = (ages.today(clinic_id) + timedelta(days=days)).isoformat() if days else ""
        return Wanted(
            name=(self.name.data or "")[:300],
            birth_date=self.iso() or "",
            relation=self.relation.data or "",
            scope=tuple(self.scope.data or ()),
            until=last,
        )


LASTS = {"month": 30, "year": 365, "open": 0}
"""How many days; 0 is until it is taken back."""
