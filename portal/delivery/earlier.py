"""What an earlier delivery of ours put into the record under the same name: a create that finds it has not arrived.  Pure.

A conditional create (R4 http.html#ccreate) is answered 200 with what is there, whatever that says. We know what we wrote: where the
resource is one that an earlier delivery was confirmed for, and it differs from what was accepted now just where the two deliveries
differ, it still says the earlier answer. What a server keeps a little differently is no such thing: our own two texts are compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from portal.delivery.bundle import Payload, Resource, carries
from portal.delivery.compare import Difference, differences
from portal.delivery.look import Found, Sight

TELLING = frozenset(
    {
        *("meta", "text", "derivedFrom"),
        *("authored", "issued", "dateAsserted", "recordedDate", "recorded"),
        *("asserter", "informationSource", "performer", "author", "source"),
    }
)
"""Elements that say who told it, when and in which answers, rather than what."""


def bearing(payload: Payload, confirmed: Mapping[str, Resource]) -> dict[str, Resource]:
    """Of what we put into the record before, by its reference, what bears the name of something that `payload` creates."""
    wanted = [(entry.type, entry.search) for entry in payload.created if entry.search]
    return {
        name: sent
        for name, sent in confirmed.items()
        if any(sent["resourceType"] == kind and carries(sent, search) for kind, search in wanted)
    }


def still_stands(sight: Sight, before: Mapping[str, Resource]) -> Sight | None:
    """The sight without what still says an earlier answer, which is nothing of this delivery; None where nothing does."""
    found = tuple(replace(one, resources=()) if _older(one, before) else one for one in sight.found)
    return Sight(found, sight.placed) if found != sight.found else None


def _older(one: Found, before: Mapping[str, Resource]) -> bool:
    sent = before.get(one.references[0]) if one.entry.search and len(one.references) == 1 else None
    if sent is None:
        return False
    ours = one.entry.resource
    told = TELLING | ({"effectiveDateTime"} if ours.get("effectiveDateTime") == ours.get("issued") else set())
    return bool((_elements(one.differences) & _elements(differences(ours, sent, {}))) - told)


def _elements(found: Iterable[Difference]) -> set[str]:
    """The elements of the resource that are not the same, but for displays and for names that hold within one delivery."""
    real = (one for one in found if not one.path.endswith(".display") and not (_local(one.ours) or _local(one.theirs)))
    return {one.path.split(".")[1].partition("[")[0] for one in real}


def _local(value: object) -> bool:
    return isinstance(value, str) and value.startswith("urn:uuid:")
