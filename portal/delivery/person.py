"""Whether the record that something goes into is still in use: a merged or retired one is a person's to sort out (bar 84)."""

from portal.delivery.bundle import Payload
from portal.delivery.client import RecordClient
from portal.ehr.errors import NotThere, Refused
from portal.fhir.people import Standing, standing


def out_of_use(client: RecordClient, payload: Payload) -> bool:
    """Asked before something is sent, never followed to another record. Raises ehr.errors when nobody answers.

    A server that does not let us read the Patient decides by itself.
    """
    return any(_retired(client, reference) for reference in payload.subjects())


def _retired(client: RecordClient, reference: str) -> bool:
    kind, _, name = reference.partition("/")
    try:
        patient = client.read(kind, name, uncached=True)
    except NotThere:
        return True
    except Refused as refused:
        if refused.code == 429 or refused.code >= 500:
            raise
        return False
    return standing(patient).standing in (Standing.REPLACED, Standing.INACTIVE)
