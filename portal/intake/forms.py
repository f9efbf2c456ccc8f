"""What is typed on the confirm pages, as WTForms made from the blocks and facts on the page."""

from collections.abc import Iterable

from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage, MultiDict
from wtforms import FieldList, Form, FormField, HiddenField, IntegerField, RadioField, StringField
from wtforms.validators import Optional

from portal.intake.block_page import MOST_ADDED, Block, Row, Said, SectionPage
from portal.intake.blocks import Field
from portal.intake.cards import LONGEST_SIDE, SIDES, Places, Posted
from portal.intake.files import photograph

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


def said(form: FlaskForm, page: SectionPage, pictured: Places) -> Said:
    """What a posted form says; answers that are not on offer are left out."""
    rows = {line.name: form[line.name].form for line in page.lines}
    return Said(
        answers={name: row.answer.data for name, row in rows.items() if row.answer.data},
        changes={name: _typed(row) for name, row in rows.items()},
        added={block.key: [_typed(each.form) for each in form[f"{block.key}-added"]] for block in page.blocks},
        any={block.key: form[f"{block.key}-any"].data for block in page.blocks if form[f"{block.key}-any"].data},
        rest_is_right=form.step.data == "all",
        cards=pictured,
    )


def _typed(form: Form) -> Row:
    return {field.short_name: (field.data or "")[:LONGEST] for field in form if isinstance(field, StringField)}


def pictures(page: SectionPage, form: MultiDict[str, str], taken: MultiDict[str, FileStorage]) -> dict[str, Posted]:
    """What a post says of the pictures of cards, by place; only places that are on the page."""
    places = [place for block in page.blocks if block.section.cards for place in _places(block)]
    found = {place: _posted(place, form, taken) for place in places}
    return {place: each for place, each in found.items() if each != Posted()}


def _places(block: Block) -> list[str]:
    return [*(line.name for line in block.lines), *(f"{block.key}-added-{place}" for place in range(MOST_ADDED))]


def _posted(place: str, form: MultiDict[str, str], taken: MultiDict[str, FileStorage]) -> Posted:
    names = {side: f"{place}-{side}" for side in SIDES}
    new = {side: taken[name] for side, name in names.items() if name in taken and taken[name].filename}
    return Posted(
        kept={side: form[f"{name}-kept"] for side, name in names.items() if form.get(f"{name}-kept")},
        removed=frozenset(side for side, name in names.items() if form.get(f"{name}-remove")),
        taken={side: photograph(file, LONGEST_SIDE) for side, file in new.items()},
    )


def grown(form: FlaskForm, blocks: Iterable[Block]) -> str:
    """The block that another empty row is wanted for, or ""."""
    return next((block.key for block in blocks if form.step.data == f"add-{block.key}"), "")


def typed_again(kept: list[list[str]]) -> MultiDict[str, str]:
    """A kept post as form data."""
    return MultiDict([(name, value) for name, value in kept])
