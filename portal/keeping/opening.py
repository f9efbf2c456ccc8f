"""The settings and the database of this installation, opened for one command."""

from portal import db, settings
from portal.accounts import service as accounts
from portal.actors import Actor, system
from portal.errors import PortalError
from portal.settings import Settings


def installation() -> Settings:
    """Read the settings, connect as the tables' owner, bring the schema up to date, and see that key ring and database belong together."""
    config = settings.read()
    db.connect(config.owned, config.keys)
    db.migrate()
    accounts.check_key_ring()
    return config


def operators(slug: str | None = None) -> list[Actor]:
    """Somebody at the command line, for one clinic or for each."""
    found = [each for each in accounts.clinics() if slug in {None, each.slug}]
    if not found and slug is None:
        raise PortalError("There is no clinic here yet. Add the first: portal clinic")
    if not found:
        known = ", ".join(each.slug for each in accounts.clinics()) or "none yet"
        raise PortalError(f"There is no clinic {slug!r} here. Known: {known}.")
    return [system(each.id, "An operator") for each in found]
