"""What is typed at the desk, parsed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from portal.review.editing import NAMES
from portal.review.service import Choice, NewVisit, Opened, Verdict


class ReviewForm(FlaskForm):  # type: ignore[misc]
    """The review page posts `verdict-`, `reason-`, `question-`, `edit-`, `looked-` and `seen-` fields named by proposal, and one `step`."""

    step = HiddenField()


class MatchForm(FlaskForm):  # type: ignore[misc]
    record = StringField(validators=[Length(max=80)])
    reason = StringField(validators=[Length(max=1000)])
    step = HiddenField()


class NewVisitForm(FlaskForm):  # type: ignore[misc]
    name = StringField(validators=[Length(max=200)])
    birth_date = StringField(validators=[Length(max=20)])
    email = StringField(validators=[Length(max=254)])
    phone = StringField(validators=[Length(max=40)])
    day = StringField(validators=[Length(max=20)])
    time = StringField(validators=[Length(max=10)])
    what = StringField(validators=[Length(max=200)])

    def typed(self) -> NewVisit:
        return NewVisit(**{name: (self[name].data or "")[:300] for name in NewVisit.__dataclass_fields__})


WORDED = ("text", "more", *NAMES)
"""The fields of what a patient wrote that can be accepted in other words."""


@dataclass(frozen=True)
class Typed:
    """What stands in the controls of one proposal."""

    verdict: str = ""
    reason: str = ""
    question: str = ""
    seen: str = ""
    edit: Mapping[str, str] = field(default_factory=dict)
    looked: str = ""


@dataclass(frozen=True)
class Page:
    """What the review page shows in its controls: `typed` by proposal, over what is stored."""

    typed: Mapping[str, Typed] = field(default_factory=dict)

    def of(self, opened: Opened) -> dict[str, Typed]:
        """For every item: what was typed, else the decision that stands."""
        return {item.proposal.key: self.typed.get(item.proposal.key) or _stored(item) for item in opened.items}


def _stored(item: object) -> Typed:
    standing = getattr(item, "standing", None)
    if standing is None:
        return Typed()
    words = standing.reason
    rejected = standing.verdict is Verdict.REJECT
    return Typed(standing.verdict.value, words if rejected else "", "" if rejected else words, edit=standing.edit)


def typed(values: Mapping[str, str]) -> dict[str, Typed]:
    """The posted controls by proposal."""
    keys = [name.removeprefix("seen-") for name in values if name.startswith("seen-")]
    return {
        key: Typed(
            values.get(f"verdict-{key}", ""),
            values.get(f"reason-{key}", ""),
            values.get(f"question-{key}", ""),
            values.get(f"seen-{key}", ""),
            {name: values[f"edit-{key}-{name}"] for name in WORDED if f"edit-{key}-{name}" in values},
            values.get(f"looked-{key}", ""),
        )
        for key in keys
    }


def choices(said: Mapping[str, Typed]) -> list[Choice]:
    """The controls in which something is chosen; an unknown verdict counts as nothing chosen."""
    known = {verdict.value: verdict for verdict in Verdict}
    return [
        Choice(
            key,
            known[each.verdict],
            each.reason if each.verdict == Verdict.REJECT else _question(each),
            each.seen,
            each.edit if each.verdict == Verdict.EDIT else {},
            each.looked,
        )
        for key, each in said.items()
        if each.verdict in known
    ]


def _question(each: Typed) -> str:
    return each.question if each.verdict == Verdict.ASK else ""
