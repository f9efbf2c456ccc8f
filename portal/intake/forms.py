"""What is typed on the confirm pages, as WTForms made from the facts on the page."""

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import FieldList, Form, FormField, HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import Length, Optional

from portal.intake.confirming import MOST_ADDED, Added, FactLine, Said, SectionPage


class AddedForm(Form):  # type: ignore[misc]
    what = StringField(validators=[Length(max=500)])
    more = StringField(validators=[Length(max=500)])


class FactForm(Form):  # type: ignore[misc]
    """One fact: the answer, and what changed."""

    answer = RadioField(choices=[], validate_choice=False)
    change = StringField(validators=[Length(max=1000)])


def section_form(page: SectionPage) -> type[FlaskForm]:
    """The form class of one confirm page: a FactForm for each fact on it, the yes/none question, and rows for what is missing."""
    fields: dict[str, object] = {line.name: FormField(FactForm, separator="-") for line in page.lines}
    fields["any"] = RadioField(choices=[], validate_choice=False, validators=[Optional()])
    fields["added"] = FieldList(FormField(AddedForm), max_entries=MOST_ADDED)
    fields["version"] = IntegerField(default=page.version, validators=[Optional()])
    fields["step"] = HiddenField()
    return type("SectionForm", (FlaskForm,), fields)


def said(form: FlaskForm, lines: list[FactLine]) -> Said:
    """What a posted section form says; answers that are not on offer are left out."""
    rows = {line.name: form[line.name].form for line in lines}
    return Said(
        answers={name: row.answer.data for name, row in rows.items() if row.answer.data},
        changes={name: (row.change.data or "")[:1000] for name, row in rows.items()},
        added=[
            Added((row.what.data or "")[:500], (row.more.data or "")[:500])
            for row in (entry.form for entry in form.added)
        ],
        any=form.any.data or None,
    )


def typed_again(kept: list[list[str]]) -> MultiDict[str, str]:
    """A kept post as form data."""
    return MultiDict([(name, value) for name, value in kept])
