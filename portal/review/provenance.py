"""Who said it and who accepted it, as FHIR Provenance. Pure.

R4 gives Provenance no identifier: it arrives in the same transaction as its target, or not at all.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from portal.fhir import people
from portal.fhir.resources import Json

PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
ACCOUNT_SYSTEM = "urn:previsit:account"


def instant(value: datetime) -> str:
    """A FHIR instant in UTC, to the second."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Person:
    """Somebody the record knows by a `reference` ("Patient/7"), or only the portal by an account."""

    name: str
    reference: str = ""
    account_id: str = ""
    for_patient: str = ""
    """the Patient they answer for, where that is not themself"""

    def who(self) -> Json:
        if self.for_patient:
            return people.related(self.name, self.reference, self.account_id)
        if self.reference:
            return {"reference": self.reference, "display": self.name} if self.name else {"reference": self.reference}
        return {"identifier": {"system": ACCOUNT_SYSTEM, "value": self.account_id}, "display": self.name}

    def agent(self) -> Json:
        """As Provenance.agent says who, and for whom."""
        behalf = {"onBehalfOf": {"reference": self.for_patient}} if self.for_patient else {}
        return {"who": self.who(), **behalf}


def provenance(
    *,
    target: str,
    activity: str,
    occurred: str,
    recorded: str,
    author: Person,
    verifiers: tuple[Person, ...],
    source: str = "",
    worded: tuple[tuple[Person, str], ...] = (),
) -> Json:
    """Provenance of one part: said by `author` at `occurred`, accepted by `verifiers`, put together by the portal at `recorded`;
    `source` is the response it was made of, if any. What somebody at the clinic `worded` otherwise has them as its author, the
    patient as who told it, and what the patient said as what it is a revision of."""
    writers = dict.fromkeys(person for person, _ in worded)
    agents = [
        ("informant" if worded else "author", author.agent()),
        *(("author", each.agent()) for each in writers),
        *(("verifier", each.agent()) for each in verifiers),
        ("assembler", {"who": {"display": "Previsit"}}),
    ]
    made_of = [{"role": "source", "what": {"reference": source}}] if source else []
    revised = [{"role": "revision", "what": {"display": f"The patient said: {said}"[:500]}} for _, said in worded]
    entities = [*made_of, *revised]
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "occurredDateTime": occurred,
        "recorded": recorded,
        "activity": {"coding": [{"system": OPERATION, "code": activity}]},
        "agent": [{"type": {"coding": [{"system": PARTICIPANT, "code": code}]}, **held} for code, held in agents],
        **({"entity": entities} if entities else {}),
    }
