"""Our signing keys for one connection: made, published, rotated with an overlap, and never shown (SMART 2.2; bar 37).

A new key is published at once but signs only after servers had time to fetch it; the old one signs until then, and stays
published until its last assertion has long expired. Dates alone decide, so nothing has to run at the right minute.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import or_, select

from portal.db import session
from portal.ehr.errors import NoCredential
from portal.ehr.models import ALGORITHMS, Connection, SigningKey
from portal.ehr.smart import PrivateKey, Signer

PUBLISH_AHEAD = timedelta(minutes=15)
STAYS_PUBLISHED = timedelta(hours=1)
CACHE_SECONDS = 300
"""How long servers may keep our key set: well below PUBLISH_AHEAD."""
RSA_BITS = 3072
SAID = "token_endpoint_auth_signing_alg_values_supported"
PUBLIC = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}


def make(connection: Connection, algorithm: str, at: datetime, signs_from: datetime) -> SigningKey:
    """A new key pair, to be added in the caller's transaction; the private half is sealed at rest."""
    pair: PrivateKey = RSAKey.generate_key(RSA_BITS) if algorithm.startswith("RS") else ECKey.generate_key("P-384")
    kid = pair.thumbprint()
    private = {name: str(value) for name, value in pair.as_dict(private=True).items()}
    return SigningKey(
        clinic_id=connection.clinic_id,
        connection_id=connection.id,
        kid=kid,
        algorithm=algorithm,
        public=_public(private, kid, algorithm),
        made_at=at,
        signs_from=signs_from,
        private=private,
    )


def _public(private: dict[str, str], kid: str, algorithm: str) -> dict[str, Any]:
    members = {name: private[name] for name in PUBLIC[private["kty"]]}
    return members | {"kid": kid, "alg": algorithm, "use": "sig"}


def rotate(connection: Connection, at: datetime) -> list[SigningKey]:
    """New keys for every algorithm in use, to be added in the caller's transaction; the old ones learn when they end."""
    current = [row for row in _rows(connection.id) if row.signs_until is None]
    starts = at + PUBLISH_AHEAD
    for row in current:
        row.signs_until = starts
        row.published_until = starts + STAYS_PUBLISHED
    return [make(connection, algorithm, at, starts) for algorithm in sorted({row.algorithm for row in current})]


def signer(connection_id: str, algorithms: Iterable[str], at: datetime) -> Signer:
    """The key to sign with now, for the first of `algorithms` (best first) that we have one for."""
    rows = _rows(connection_id)
    signing = [row for row in rows if row.signs_from <= at and (row.signs_until is None or at < row.signs_until)]
    signing = signing or rows  # a clock that was set back must not leave us without a key
    for algorithm in algorithms:
        for row in sorted(signing, key=lambda each: each.signs_from, reverse=True):
            if row.algorithm == algorithm:
                return Signer(row.kid, algorithm, _load(row.private))
    raise NoCredential("no key of ours for an algorithm the server takes", terminal=True)


def published(at: datetime, connection_id: str | None = None) -> dict[str, Any]:
    """The JWK Set to serve: public members only; of one connection, or of all.

    Once a server has said which algorithms it takes it is shown only the kind of key that we sign with: some cannot read a
    set of two kinds.
    """
    rows = select(SigningKey).where(or_(SigningKey.published_until.is_(None), SigningKey.published_until > at))
    if connection_id is not None:
        rows = rows.where(SigningKey.connection_id == connection_id)
    found = list(session().scalars(rows.order_by(SigningKey.made_at, SigningKey.kid)))
    used = _used(connection_id, {row.algorithm for row in found}) if connection_id else None
    return {"keys": [row.public for row in found if used in (None, row.algorithm)]}


def _used(connection_id: str, held: set[str]) -> str | None:
    """The algorithm that we sign with at this server; None while it has not said what it takes."""
    connection = session().get(Connection, connection_id)
    said = (connection.discovery or {}).get(SAID) if connection else None
    return next((each for each in ALGORITHMS if each in (said or ()) and each in held), None)


def _rows(connection_id: str) -> list[SigningKey]:
    return list(session().scalars(select(SigningKey).where(SigningKey.connection_id == connection_id)))


def _load(private: dict[str, Any]) -> PrivateKey:
    return RSAKey.import_key(private) if private["kty"] == "RSA" else ECKey.import_key(private)
