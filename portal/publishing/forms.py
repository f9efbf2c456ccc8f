"""What an administrator types about forms: a file, a search, and the rule by which a form is asked."""

import unicodedata
from dataclasses import dataclass

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import FileStorage
from wtforms import RadioField, StringField, TextAreaField

from portal.errors import Issue
from portal.library import service as library
from portal.library.service import Rule

MOST_DIGITS = 4


class BringForm(FlaskForm):  # type: ignore[misc]
    """A file with a form, or with a Bundle of forms and lists."""

    file = FileField()

    def content(self) -> bytes | None:
        """The bytes of the file; None when none was chosen."""
        return self.file.data.read() if isinstance(self.file.data, FileStorage) and self.file.data.filename else None

    def name(self) -> str:
        """The file's own name, without folders and without characters that are not seen."""
        own = str(self.file.data.filename).replace("\\", "/").rsplit("/", maxsplit=1)[-1]
        return "".join(each for each in own if unicodedata.category(each)[0] != "C")[:120] or "a file"


class SearchForm(FlaskForm):  # type: ignore[misc]
    """Words of the title of a form at the clinic's server, and the id of the one that was chosen."""

    title = StringField()
    chosen = StringField()

    def words(self) -> str:
        return " ".join((self.title.data or "").split())[:200]


@dataclass(frozen=True)
class Wanted:
    """A rule as typed: `rule` holds as far as it could be read."""

    rule: Rule
    carry: bool
    issues: list[Issue]


class RuleForm(FlaskForm):  # type: ignore[misc]
    """When a form is asked, and what becomes of drafts that are open."""

    required = RadioField(choices=[], validate_choice=False, default="yes")
    order = StringField(default="50")
    kinds = TextAreaField()
    from_age = StringField()
    to_age = StringField()
    months = StringField()
    carry = RadioField(choices=[], validate_choice=False, default="keep")
    seen = StringField()

    def show(self, rule: Rule) -> None:
        """Fill the boxes with a rule that holds now."""
        self.required.data = "yes" if rule.required else "no"
        self.order.data, self.kinds.data = str(rule.order), "\n".join(rule.kinds)
        for name in ("from_age", "to_age", "months"):
            number = getattr(rule, name)
            self[name].data = "" if number is None else str(number)

    def wanted(self) -> Wanted:
        numbers = {name: _number(self[name].data) for name in ("order", "from_age", "to_age", "months")}
        odd = [Issue(name, "number", "Write a whole number in digits.") for name in numbers if numbers[name] == "odd"]
        read = {name: number for name, number in numbers.items() if isinstance(number, int)}
        lines = [" ".join(line.split()) for line in (self.kinds.data or "").splitlines()]
        kinds = tuple(dict.fromkeys(line for line in lines if line))
        rule = Rule(required=self.required.data != "no", kinds=kinds, **read)
        return Wanted(rule, self.carry.data == "carry", odd or library.issues(rule))

    def seen_number(self) -> int | None:
        number = _number(self.seen.data)
        return number if isinstance(number, int) else None


def _number(typed: str | None) -> int | str | None:
    """A number, None for an empty box, "odd" for anything else."""
    text = (typed or "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else "odd"
