"""What is typed at the door."""

from datetime import date

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = EmailField(_("E-mail address"), [InputRequired(_("Enter your e-mail address")), Length(max=254)])
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password")), Length(max=512)])


class BirthDateForm(FlaskForm):  # type: ignore[misc]
    """Three boxes; `iso` is YYYY-MM-DD, or None when that is no day of the calendar."""

    day = StringField(_("Day"), [Length(max=4)])
    month = StringField(_("Month"), [Length(max=12)])
    year = StringField(_("Year"), [Length(max=6)])

    def iso(self) -> str | None:
        parts = [field.data.strip() for field in (self.year, self.month, self.day) if field.data]
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        try:
            return date(*map(int, parts)).isoformat()
        except ValueError:
            return None


class ProveForm(BirthDateForm):
    """What the link of an invitation asks for besides."""

    code = StringField(_("Code"), [Length(max=40)])


class JoinForm(FlaskForm):  # type: ignore[misc]
    email = EmailField(_("E-mail address"), [InputRequired(_("Enter your e-mail address")), Length(max=254)])
    password = PasswordField(_("Choose a password"), [InputRequired(_("Choose a password")), Length(max=512)])
