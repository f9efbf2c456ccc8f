"""Whether what an update rests on is still as it was: not every server heeds If-Match, and some make anew what a PUT does not find."""

from portal.delivery.bundle import Entry, Payload
from portal.delivery.client import RecordClient
from portal.ehr.errors import NotThere, Refused


def moved(client: RecordClient, payload: Payload) -> bool:
    """Asked before something is sent. Raises ehr.errors when nobody answers; what we may not read the server judges itself."""
    return any(_moved(client, entry) for entry in payload.updated if entry.base is not None)


def _moved(client: RecordClient, entry: Entry) -> bool:
    kind, _, name = (entry.target or "").partition("/")
    try:
        held = client.read(kind, name, uncached=True)
    except NotThere:
        return True
    except Refused as refused:
        if refused.code == 429 or refused.code >= 500:
            raise
        return False
    version = (held.get("meta") or {}).get("versionId")
    return version is not None and version != entry.base
