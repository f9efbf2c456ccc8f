"""What an administrator types about a connection, parsed."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from portal.ehr import registration, service
from portal.errors import Issue


class ConnectionForm(FlaskForm):  # type: ignore[misc]
    """Text as typed; `issues` says what is wrong with it."""

    name = StringField(validators=[Length(max=500)])
    base_url = StringField(validators=[Length(max=500)])
    client_id = StringField(validators=[Length(max=500)])
    auth_origins = TextAreaField(validators=[Length(max=2000)])
    only_people = BooleanField()

    def text(self, name: str) -> str:
        return (self[name].data or "").strip()

    def origins(self) -> tuple[str, ...]:
        """One address a line."""
        return tuple(line.strip() for line in self.text("auth_origins").splitlines() if line.strip())

    def issues(self) -> list[Issue]:
        too_long = [Issue(name, "too-long", "This is too long.") for name in self.errors if name != "csrf_token"]
        return too_long or service.issues(
            self.text("name"),
            self.text("base_url"),
            self.text("client_id"),
            self.origins(),
            only_people=bool(self.only_people.data),
        )


class ServiceForm(FlaskForm):  # type: ignore[misc]
    """The client id by which a system knows us as a service."""

    client_id = StringField(validators=[Length(max=500)])


class SigningForm(FlaskForm):  # type: ignore[misc]
    """How people sign in at a connection's server."""

    client_id = StringField(validators=[Length(max=500)])
    method = StringField(validators=[Length(max=40)])
    secret = StringField(validators=[Length(max=2000)])
    who = SelectMultipleField(choices=["patients", "staff"], validate_choice=False)

    def issues(self, *, has_secret: bool) -> list[Issue]:
        return registration.issues(
            self.client_id.data or "", self.method.data or "", self.secret.data or "", has_secret=has_secret
        )


class TieForm(FlaskForm):  # type: ignore[misc]
    """Who of the staff somebody is in the clinic's system."""

    email = StringField(validators=[Length(max=254)])
    user = StringField(validators=[Length(max=500)])


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why a connection is paused or used again."""

    why = StringField(validators=[Length(max=500)])

    def text(self) -> str:
        return (self.why.data or "").strip()[:500]
