"""The engineer's commands: database, clinics, staff, connections, calendars."""

import argparse
import os
import re
import sys
from getpass import getpass
from zoneinfo import available_timezones

from sqlalchemy.exc import ProgrammingError

from portal import db, settings, variables, walls
from portal.accounts import ages
from portal.accounts import service as accounts
from portal.actors import Role, system
from portal.clock import now
from portal.delivery import overdue, wakes
from portal.ehr import service as ehr
from portal.errors import Misconfigured, PortalError
from portal.fhir import exact
from portal.intake import service as intake
from portal.library import service as library
from portal.review import match_command

Arguments = argparse.Namespace


def _open() -> settings.Settings:
    """The database as it should be, open for the portal's own role."""
    config = settings.read()
    _bring_up(config)
    if config.database != config.owned:
        db.connect(config.database, config.keys)
    return config


def migrate(arguments: Arguments) -> None:
    config = settings.read()
    _bring_up(config)
    library.everywhere(config.forms)
    if not arguments.quiet:
        print("The database is up to date.")


def _bring_up(config: settings.Settings) -> None:
    """As the tables' owner where one is named; then the walls stand and the portal's own role may do what it needs."""
    db.connect(config.owned, config.keys)
    try:
        db.migrate()
    except ProgrammingError as refused:
        if walls.owned():
            raise
        raise Misconfigured(
            "The database is older than this program, and only the role that owns its tables may bring it up to date. "
            "Run once, with that role's address: PREVISIT_OWNER_DATABASE=… portal migrate"
        ) from refused
    accounts.check_key_ring()
    if walls.owned():
        wakes.arrange(config.engine)
        walls.build(config.database)


def sync(arguments: Arguments) -> None:
    _open()
    for clinic in accounts.clinics():
        found = intake.synchronise(system(clinic.id))
        print(f"{clinic.name}: {found.seen} appointments, {len(found.new)} new. {found.reason or ''}")


def list_settings(arguments: Arguments) -> int:
    """Each setting with what is set here, then whether the portal would start with them."""
    for variable, here in variables.told(os.environ):
        print(f"{variable.name} = {here}" if here else f"{variable.name} (not set: {variable.default})")
        print(f"    {variable.what}")
    settings.read()
    variables.bind(os.environ)
    print("\nThese settings can be used.")
    return 0


def clinic(arguments: Arguments) -> int:
    config = _open()
    wrong = _wrong(arguments)
    if wrong:
        print(wrong, file=sys.stderr)
        return 1
    accounts.add_clinic(arguments.slug, arguments.name, arguments.timezone, arguments.language, arguments.phone)
    library.everywhere(config.forms)
    print(f"Added. Its sign-in page is {config.base_url}/at/{arguments.slug}/sign-in")
    return 0


def _wrong(arguments: Arguments) -> str:
    """What a clinic cannot be made with, in words; "" when it can."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", arguments.slug):
        return "--slug stands in addresses: small letters, digits and hyphens only, for example springfield."
    if any(each.slug == arguments.slug for each in accounts.clinics()):
        return f"There is a clinic {arguments.slug!r} already."
    if not arguments.name.strip():
        return '--name is what patients know the clinic by, for example "Springfield Family Clinic".'
    if arguments.timezone not in available_timezones():
        return f"--timezone {arguments.timezone!r} is not known. Give one like America/Chicago or Europe/London."
    if arguments.language not in settings.LANGUAGES:
        return f"--language is one of {', '.join(settings.LANGUAGES)}, not {arguments.language!r}."
    return "" if re.search(r"\d", arguments.phone) else "--phone is the number that patients are told to call."


def _clinic_id(slug: str) -> str:
    found = next((each.id for each in accounts.clinics() if each.slug == slug), None)
    if found is None:
        known = ", ".join(each.slug for each in accounts.clinics()) or "none yet; portal clinic adds one"
        raise PortalError(f"There is no clinic {slug!r} here. Known: {known}.")
    return found


def staff(arguments: Arguments) -> int:
    config = _open()
    clinic_id = _clinic_id(arguments.clinic)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", arguments.email):
        print("--email is the address they sign in with, like name@example.org.", file=sys.stderr)
        return 1
    if accounts.by_email(clinic_id, arguments.email) is not None:
        print(f"Somebody of this clinic has {arguments.email} already.", file=sys.stderr)
        return 1
    password = _password()
    issues = accounts.password_issues(password, (arguments.name, arguments.email))
    if issues:
        print(issues[0].text(), file=sys.stderr)
        return 1
    accounts.add_staff(clinic_id, Role(arguments.role), arguments.name, arguments.email, password)
    print(
        f"Added. They sign in at {config.base_url}/at/{arguments.clinic}/sign-in and set up a second step there first."
    )
    return 0


def _password() -> str:
    """Typed without being shown; from a pipe, its first line."""
    if sys.stdin.isatty():
        return getpass("Password (at least 15 characters): ")
    return sys.stdin.readline().rstrip("\r\n")


def proxy_age(arguments: Arguments) -> int:
    _open()
    clinic_id = _clinic_id(arguments.clinic)
    try:
        ages.set_age(system(clinic_id), arguments.years)
    except ValueError as problem:
        print(f"Give {problem}.", file=sys.stderr)
        return 1
    print(f"From {arguments.years} on patients answer for themselves; a parent's permission ends the day before.")
    return 0


def connection(arguments: Arguments) -> int:
    _open()
    actor = system(_clinic_id(arguments.clinic))
    wanted = {"name": arguments.name, "base_url": arguments.base_url, "client_id": arguments.client_id}
    issues = ehr.issues(**wanted)
    if issues:
        print("\n".join(issue.text() for issue in issues), file=sys.stderr)
        return 1
    made = ehr.register(actor, **wanted)
    print(exact.dumps(ehr.jwks(made.id)))
    print(
        f"These are the public keys for the registration of {arguments.client_id!r} at that server. Once it has them: portal sync, "
        "or sign in as administrator and open Connections, which says what the server lets us do.",
        file=sys.stderr,
    )
    return 0


def rotate_keys(arguments: Arguments) -> None:
    """New keys are published at once and sign in a quarter of an hour; the old ones stay published until they are old."""
    _open()
    actor = system(_clinic_id(arguments.clinic))
    for each in ehr.overviews(actor):
        ehr.rotate_keys(actor, each.id)
        print(f"{each.name}: {len(ehr.jwks(each.id)['keys'])} public keys at /.well-known/jwks/{each.id}.json")


def after_restore(arguments: Arguments) -> None:
    """Bar 86: a restored outbox may be older than what was sent."""
    _open()
    for clinic in accounts.clinics():
        reached = overdue.reaches(clinic.id)
        if reached:
            print(f"{clinic.name}: this database knows of deliveries up to {reached:%Y-%m-%d %H:%M:%S} UTC.")
    print("What was written here after the backup was made is not in it; ask those who wrote since then to look again.")
    print(
        f"{overdue.after_restore(now)} unfinished deliveries will be looked up at the clinic before anything is sent again."
    )


def match(arguments: Arguments) -> int:
    return match_command.main(arguments.files)
