"""A document that a resource of the patient's points to (Binary): brought when it is asked for, proved to be theirs, never kept."""

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, field

from portal.actors import Actor, Role
from portal.audit import service as audit
from portal.audit.events import Event
from portal.clock import now
from portal.db import session, transaction
from portal.ehr import answers, connections, grants, scopes, tokens
from portal.ehr.client import FhirClient
from portal.ehr.errors import EhrError, NotFhir, NotPermitted
from portal.ehr.http import Limits
from portal.ehr.models import Connection
from portal.ehr.reading import Reason, reason_of
from portal.ehr.record import NO_SUBJECT, Link, link_of, wrong_patient
from portal.fhir.resources import Json, parse_reference, points_to, text_at

MOST = 20 * 1024 * 1024
"""Bytes of a document; in an answer it is a third longer."""
LIMITS = Limits(connect=2.0, read=10.0, total=20.0, size=MOST * 4 // 3 + 64 * 1024)


@dataclass(frozen=True)
class Brought:
    """A document as it came. `resource` is its Binary without the content, for the gate; `kind` what the server says it is."""

    content: bytes = field(repr=False)
    kind: str
    resource: Json


def binary(actor: Actor, patient_id: str, url: str, holder: str, limits: Limits = LIMITS) -> Brought | Reason:
    """The document at `url`, which stands in the resource `holder` (`Type/id`) of this patient; or why it could not be had.

    Only a Binary of the clinic's own server is asked for. One whose security context names somebody else, or something that
    is neither the patient nor the holder, is left out and staff are told (bar 42).
    """
    link = link_of(actor, patient_id)
    if isinstance(link, Reason):
        return link
    name = _own(url, link.connection.base_url)
    obstacle = connections.obstacle(link.connection) or connections.resting(link.connection, now())
    if name is None or obstacle:
        return obstacle or Reason.ELSEWHERE
    if session().info.get("writing"):
        raise RuntimeError("the clinic must not be asked inside a transaction")
    try:
        brought, about = _asked(_client(actor, link, limits), name)
    except EhrError as trouble:
        brought, about = reason_of(trouble), ""
    found = (
        brought if isinstance(brought, Reason) or not about or _theirs(about, link, holder) else Reason.OTHER_PATIENT
    )
    with transaction():
        if found is Reason.OTHER_PATIENT:
            _tell(link, about)
        told = {"kinds": {"document": found.value if isinstance(found, Reason) else "known"}}
        audit.record(actor, Event.RECORD_READ, subject=f"patients:{patient_id}", patient_id=patient_id, detail=told)
    return found


def _own(url: str, base: str) -> str | None:
    """The id of a Binary on the server itself; None for any other address."""
    ref = parse_reference(url)
    if ref is None or ref.type != "Binary" or (ref.base is not None and ref.base.rstrip("/") != base.rstrip("/")):
        return None
    return ref.id


def _client(actor: Actor, link: Link, limits: Limits) -> FhirClient:
    """With the patient's own permission where they gave one, as their other reads go. Raises EhrError."""
    connection: Connection = link.connection
    own = grants.client_for(connection, link.patient_id, link.fhir_id, limits) if actor.role is Role.PATIENT else None
    client, granted = own or (tokens.client_for(connection, limits), tokens.granted_scope(connection.id))
    if granted is not None and not scopes.permits(granted, "Binary", "r"):
        raise NotPermitted(403)
    session().commit()  # nothing is held open in the database while we wait for the network
    return client


def _asked(client: FhirClient, name: str) -> tuple[Brought | Reason, str]:
    """The document and whose the server says it is ("" when it says nothing): as a resource, or raw with a header beside."""
    answer = client.get(f"Binary/{name}")
    answers.raise_for(answer, now())
    media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media not in answers.FHIR_JSON:
        plain: Json = {"resourceType": "Binary", "id": name, "contentType": media}
        return _sized(Brought(answer.body, media, plain)), answer.headers.get("X-Security-Context", "").strip()
    found = answers.resource(answer, kind="Binary", name=name, now=now())
    bare = {key: held for key, held in found.items() if key != "data"}
    return _sized(Brought(_decoded(found), text_at(found, "contentType"), bare)), _context(found)


def _context(found: Json) -> str:
    """Whose it says it is; what cannot be followed is kept as something that is nobody's."""
    if "securityContext" not in found:
        return ""
    return text_at(found, "securityContext", "reference") or "?"


def _decoded(found: Json) -> bytes:
    data = found.get("data")
    try:
        return b64decode("".join(data.split()), validate=True) if isinstance(data, str) else b""
    except (Error, ValueError) as wrong:
        raise NotFhir("The clinic's system sent a document that could not be read.") from wrong


def _sized(brought: Brought) -> Brought | Reason:
    return Reason.TOO_MUCH if len(brought.content) > MOST else brought


def _theirs(about: str, link: Link, holder: str) -> bool:
    said, base = {"reference": about}, link.connection.base_url
    return points_to(said, f"Patient/{link.fhir_id}", base) or points_to(said, holder, base)


def _tell(link: Link, about: str) -> None:
    ref = parse_reference(about)
    if ref is not None and ref.type == "Patient":
        wrong_patient(link, 1)
    else:
        connections.alert(link.connection, NO_SUBJECT, link.patient_id, 1)
