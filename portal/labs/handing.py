"""A patient takes a document of their results: through the same gate as the page it stands on, proved whole, audited."""

from dataclasses import dataclass, field
from datetime import timedelta

from portal import scanning
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.events import Event
from portal.consent import service as consent
from portal.ehr import service as ehr
from portal.errors import NotBrought, NotFound
from portal.labs import service
from portal.labs.documents import Damaged, Document, handed, proved, unpacked
from portal.labs.words import _

DAMAGED = _("It is not whole, or not what the clinic's system says it is. Ask the clinic for a copy.")

SCANNED = {
    scanning.Verdict.HARMFUL: _("The clinic's virus scanner found something harmful in it. Ask the clinic for a copy."),
    scanning.Verdict.UNKNOWN: _("We could not look through it for viruses just now. Try again in a few minutes."),
}


@dataclass(frozen=True)
class Paper:
    """A document to hand over; `kind` is what its first bytes tell."""

    content: bytes | str = field(repr=False)
    kind: str
    name: str


def paper(actor: Actor, place: str, max_age: timedelta = ehr.FRESH) -> Paper:
    """The document at this address. NotFound when this patient has none there, NotBrought (with the reason) when it cannot be had."""
    document = service.results(actor, max_age).papers.get(place)
    patient_id = actor.patient_id
    if document is None or patient_id is None:
        raise NotFound
    try:
        held, claimed = _content(actor, patient_id, document)
        if sentence := SCANNED.get(scanning.look(held)):
            raise NotBrought(sentence)
        content, kind, name = handed(held, claimed, document.title)
    except Damaged as wrong:
        raise NotBrought(DAMAGED) from wrong
    audit.seen(actor, Event.LABS_DOWNLOADED, subject=f"documents:{place}", patient_id=patient_id)
    return Paper(content, kind, name)


def _content(actor: Actor, patient_id: str, document: Document) -> tuple[bytes, str]:
    """The bytes and what they are said to be: from the resource itself, else from the clinic's server."""
    if document.inside:
        return proved(document, unpacked(document)), document.claimed
    if not document.url:
        raise NotFound
    brought = ehr.binary(actor, patient_id, document.url, document.holder)
    if isinstance(brought, ehr.Reason):
        raise NotBrought(ehr.WORDS[brought])
    if not consent.visible(
        actor, patient_id, [brought.resource], policy=consent.Policy.ALL_AUTHORIZED, purpose="PATRQT"
    ):
        raise NotFound
    return proved(document, brought.content), document.claimed or brought.kind.partition(";")[0].strip().lower()
