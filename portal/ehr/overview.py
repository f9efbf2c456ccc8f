"""What an administrator sees of a connection: how it stands, our keys, what was granted, what the server can do."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.actors import Actor
from portal.db import session
from portal.ehr import connections, meaning, registering, registration, scopes, tokens
from portal.ehr.launch_models import LaunchClient
from portal.ehr.meaning import Ability, Use
from portal.ehr.models import Connection, ConnectionState, SigningKey
from portal.ehr.reading import Reason

STATES = {"active": "In use", "paused": "Paused", "changed": "Stopped: it has changed"}
FOR_STAFF: dict[Reason, str] = {
    Reason.UNREACHABLE: "Nothing answers at its address.",
    Reason.SLOW: "It did not answer in time.",
    Reason.BUSY: "It is busy and asked us to come back later.",
    Reason.CREDENTIAL: "It did not let us in. Check that it knows our client id and our key address.",
    Reason.PERMISSION: "It let us in, but not to this.",
    Reason.CHANGED: "It is not the server that was confirmed.",
    Reason.ONLY_PEOPLE: "It knows Previsit only for people who sign in.",
    Reason.VERSION: "It speaks a version of FHIR that we do not read.",
}


@dataclass(frozen=True)
class Key:
    """One of our keys at the moment: `use` is what it is for now (an English msgid)."""

    kid: str
    algorithm: str
    use: str
    until: datetime | None


@dataclass(frozen=True)
class Overview:
    """One connection as a page shows it. Texts are English msgids."""

    id: str
    name: str
    base_url: str
    client_id: str
    state: str
    state_words: str
    why: str
    since: datetime
    reached_at: datetime | None
    failed_at: datetime | None
    failure: str | None
    software: str
    fhir_version: str
    token_endpoint: str | None
    issuer: str | None
    abilities: list[Ability]
    scope: str | None
    missing: list[str]
    keys: list[Key]
    confirmed: bool
    confirmed_at: datetime | None
    lost: list[str]
    come: list[str]
    uses: list[Use]
    without: tuple[Ability, ...]
    for_people: list[Ability]
    signing: LaunchClient | None

    @property
    def only_people(self) -> bool:
        return not self.client_id


def every(actor: Actor, at: datetime) -> list[Overview]:
    """The connections of the actor's clinic, the oldest first."""
    registering.allow(actor)
    return [_overview(row, at) for row in connections.of_clinic(actor.clinic_id)]


def one(actor: Actor, connection_id: str, at: datetime) -> Overview:
    registering.allow(actor)
    return _overview(registering.owned(actor, connection_id), at)


def _overview(row: Connection, at: datetime) -> Overview:
    state: ConnectionState = connections.state(row.id)
    can = connections.abilities(row)
    scope = tokens.granted_scope(row.id)
    known = row.identity or {}
    lost, come = meaning.lost_and_new(known["abilities"], can) if "abilities" in known else ([], [])
    return Overview(
        id=row.id,
        name=row.name,
        base_url=row.base_url,
        client_id=row.client_id,
        state=state.state,
        state_words=STATES[state.state],
        why=state.why,
        since=state.at,
        reached_at=row.reached_at,
        failed_at=row.failed_at,
        failure=words(Reason(row.failure)) if row.failure else None,
        software=" ".join(part for part in (can.software, can.software_version) if part),
        fhir_version=can.fhir_version,
        token_endpoint=(row.discovery or {}).get("token_endpoint"),
        issuer=(row.discovery or {}).get("issuer"),
        abilities=meaning.abilities(can),
        scope=scope,
        missing=scopes.missing(scope, scopes.NEEDS) if scope else [],
        keys=_keys(row.id, at),
        confirmed=row.identity is not None,
        confirmed_at=datetime.fromisoformat(known["at"]) if "at" in known else None,
        lost=lost,
        come=come,
        uses=meaning.uses(can, scope),
        without=meaning.WITHOUT_SERVICE if not row.client_id else (),
        for_people=meaning.for_people(row.discovery),
        signing=registration.of(row.id),
    )


def words(reason: Reason) -> str:
    """A reason for staff, who can do something about it."""
    return FOR_STAFF.get(reason, "It gave an answer that we could not use.")


def _keys(connection_id: str, at: datetime) -> list[Key]:
    rows = (
        select(SigningKey).where(SigningKey.connection_id == connection_id).order_by(SigningKey.made_at, SigningKey.kid)
    )
    live = [row for row in session().scalars(rows) if row.published_until is None or row.published_until > at]
    return [Key(row.kid, row.algorithm, _use(row, at), row.signs_until) for row in live]


def _use(row: SigningKey, at: datetime) -> str:
    if at < row.signs_from:
        return "Published, not signing yet"
    return "Signing" if row.signs_until is None or at < row.signs_until else "Published until the last signature is old"
