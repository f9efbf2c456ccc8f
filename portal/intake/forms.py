"""What is typed on the confirm pages, as WTForms made from the blocks and facts on the page."""

from collections.abc import Iterable

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import FieldList, Form, FormField, HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import Optional

from portal.intake.block_page import MOST_ADDED, Block, Row, Said, SectionPage
from portal.intake.blocks import Field

LONGEST = 1000


def section_form(page: SectionPage) -> type[FlaskForm]:
    """The form class of one confirm page: fields for each fact on it, the yes/none question and rows of each block."""
    fields: dict[str, object] = {}
    for block in page.blocks:
        typed = (*block.section.change, *block.section.stop)
        fact = _form("FactForm", typed, answer=RadioField(choices=[], validate_choice=False))
        fields |= {line.name: FormField(fact, separator="-") for line in block.lines}
        fields[f"{block.key}-any"] = RadioField(choices=[], validate_choice=False, validators=[Optional()])
        row = _form("AddedForm", block.section.add)
        fields[f"{block.key}-added"] = FieldList(FormField(row), max_entries=MOST_ADDED)
    fields["version"] = IntegerField(default=page.version, validators=[Optional()])
    fields["step"] = HiddenField()
    return type("SectionForm", (FlaskForm,), fields)


def _form(name: str, fields: Iterable[Field], **more: object) -> type[Form]:
    return type(name, (Form,), {**{each.name: StringField() for each in fields}, **more})


def said(form: FlaskForm, page: SectionPage) -> Said:
    """What a posted form says; answers that are not on offer are left out."""
    rows = {line.name: form[line.name].form for line in page.lines}
    return Said(
        answers={name: row.answer.data for name, row in rows.items() if row.answer.data},
        changes={name: _typed(row) for name, row in rows.items()},
        added={block.key: [_typed(each.form) for each in form[f"{block.key}-added"]] for block in page.blocks},
        any={block.key: form[f"{block.key}-any"].data for block in page.blocks if form[f"{block.key}-any"].data},
        rest_is_right=form.step.data == "all",
    )


def _typed(form: Form) -> Row:
    return {field.short_name: (field.data or "")[:LONGEST] for field in form if isinstance(field, StringField)}


def grown(form: FlaskForm, blocks: Iterable[Block]) -> str:
    """The block that another empty row is wanted for, or ""."""
    return next((block.key for block in blocks if form.step.data == f"add-{block.key}"), "")


def typed_again(kept: list[list[str]]) -> MultiDict[str, str]:
    """A kept post as form data."""
    return MultiDict([(name, value) for name, value in kept])
