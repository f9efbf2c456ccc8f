"""What is typed at the held desk, parsed."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import Length


class CloseForm(FlaskForm):  # type: ignore[misc]
    reason = StringField(validators=[Length(max=1000)])


class ResendAllForm(FlaskForm):  # type: ignore[misc]
    reason = HiddenField()
