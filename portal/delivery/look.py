"""Looking, without a cache, whether what we sent is at the server: each entry found by its own identifier or its own address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.delivery.bundle import Entry, Payload, carries, relative, subject
from portal.delivery.classify import Landed, resource_wrong
from portal.delivery.client import RecordClient
from portal.delivery.compare import Difference, differences
from portal.delivery.states import Reason
from portal.ehr.errors import NotFhir, NotThere, Refused

Resource = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """What the server holds for one entry. `checked` is False for an entry that cannot be looked up (it came with the others)."""

    entry: Entry
    resources: tuple[Resource, ...] = ()
    checked: bool = True
    differences: tuple[Difference, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(f"{held.get('resourceType')}/{held.get('id')}" for held in self.resources)

    @property
    def version(self) -> str | None:
        held = self.resources[0].get("meta") if len(self.resources) == 1 else None
        return held.get("versionId") if isinstance(held, dict) else None


@dataclass(frozen=True)
class Sight:
    """One look at the server: what was found for every entry, and where our urn:uuid references now point."""

    found: tuple[Found, ...]
    placed: Mapping[str, str] = field(default_factory=dict)


def look(client: RecordClient, payload: Payload, landed: tuple[Landed, ...] = ()) -> Sight:
    """What is there now. `landed` is what a believed answer said, for entries that have no identifier. Raises ehr.errors."""
    said = {one.index: one for one in landed}
    found = {one.index: _find(client, one, said.get(one.index)) for one in payload.entries if one.findable}
    placed = {
        one.entry.full_url: one.references[0]
        for one in found.values()
        if one.entry.full_url and len(one.references) == 1
    }
    for entry in payload.entries:
        if entry.index not in found:
            found[entry.index] = _find_carried(client, entry, said.get(entry.index), placed)
    ordered = [found[entry.index] for entry in payload.entries]
    return Sight(tuple(_compared(one, placed, client.base) for one in ordered), placed)


def _find_carried(client: RecordClient, entry: Entry, said: Landed | None, placed: Mapping[str, str]) -> Found:
    """A Provenance has no identifier: it is where the answer said, or the one at the same instant that points where ours points.

    The instant alone will not do: two deliveries for one person may be finished within the same second.
    """
    if said is not None:
        return _find(client, entry, said)
    target = next((held.get("reference") for held in entry.resource.get("target", [])), None)
    reference = placed.get(target, target) if isinstance(target, str) else None
    if reference is None or reference.startswith("urn:"):
        return Found(entry, checked=False)
    try:
        seen = client.search(entry.type, (("target", reference),), uncached=True)
    except (Refused, NotFhir):
        return Found(entry, checked=False)
    ours = _told_by(entry.resource, placed)
    same = tuple(held for held in seen.matches if held.get("recorded") == entry.resource.get("recorded"))
    alike = tuple(held for held in same if _told_by(held, {}) == ours)
    return Found(entry, alike or same)


def _told_by(provenance: Resource, placed: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """What a Provenance tells about and was made from, as Type/id, and what was done, as codes."""
    told = [*provenance.get("target", []), *(entity.get("what", {}) for entity in provenance.get("entity", []))]
    found = (one.get("reference") for one in told)
    done = (coding.get("code", "") for coding in provenance.get("activity", {}).get("coding", []))
    return frozenset(relative(placed.get(one, one)) for one in found if isinstance(one, str)), frozenset(done)


def _find(client: RecordClient, entry: Entry, said: Landed | None) -> Found:
    held = _search(client, entry) if entry.search else ()
    if held:
        return Found(entry, held)
    reference = entry.target or (said.reference if said else None)
    if reference is None and entry.search:
        return Found(entry)
    if reference is None:
        return Found(entry, checked=False)
    kind, _, name = reference.partition("/")
    try:
        resource = client.read(kind, name, uncached=True)
    except NotThere:
        return Found(entry)
    return Found(entry, (resource,) if carries(resource, entry.search) else ())


def _search(client: RecordClient, entry: Entry) -> tuple[Resource, ...]:
    """What carries our key. A server may have ignored the filter, so every match is looked at."""
    seen = client.search(entry.type, entry.search, uncached=True)
    if not seen.complete:
        raise NotFhir("The clinic's system did not show all it found.")
    return tuple(held for held in seen.matches if carries(held, entry.search))


def _compared(one: Found, placed: Mapping[str, str], base: str) -> Found:
    if len(one.resources) != 1:
        return one
    changes = tuple(differences(one.entry.resource, one.resources[0], placed, base))
    return Found(one.entry, one.resources, one.checked, changes)


@dataclass(frozen=True)
class Conclusion:
    """`arrived`: all of it, none of it, or None when a person must decide (`reason` says why)."""

    arrived: bool | None
    reason: Reason = Reason.NONE
    alert: bool = False


ALL, NOTHING = Conclusion(True), Conclusion(False)


def conclude(sight: Sight, landed: tuple[Landed, ...] = (), *, split: bool = False) -> Conclusion:
    """What one look after the server's bound proves about a transaction, all or nothing by its nature.

    `split`: the server itself refused it, or a part of it. If something of it is there all the same, it keeps parts.
    """
    stop = trouble_in(sight)
    if stop:
        return stop
    created = [one for one in sight.found if one.entry.search]
    there = [one for one in created if one.resources]
    if there and len(there) < len(created):
        return Conclusion(None, Reason.PARTLY_THERE)
    if there or (landed and not created):
        return _all_there(sight, split=split)
    if landed:
        return NOTHING
    return _none_created(sight, anything_created=bool(created))


def trouble_in(sight: Sight) -> Conclusion | None:
    """What stops every delivery, whole or entry by entry: something of ours about someone else, or there more than once."""
    for judge in (_misplaced, _doubled):
        reason = judge(sight)
        if reason:
            return Conclusion(None, reason, alert=judge is _misplaced)
    return None


def _misplaced(sight: Sight) -> Reason | None:
    """Ours, by identifier or address, but about someone else."""
    for one in sight.found:
        for held in one.resources:
            if one.entry.search and resource_wrong(one.entry, held) is Reason.WRONG_PATIENT:
                return Reason.WRONG_PATIENT
            if one.entry.target and subject(one.entry.resource) != subject(held):
                return Reason.WRONG_PATIENT
    return None


def _doubled(sight: Sight) -> Reason | None:
    return Reason.DUPLICATE_UPSTREAM if any(len(one.references) > 1 for one in sight.found) else None


def _all_there(sight: Sight, *, split: bool) -> Conclusion:
    """Everything we created is there: then every update happened too, unless its target still stands on its old version (or,
    where the transaction was split, holds something else than we sent)."""
    for one in sight.found:
        if one.entry.target and one.differences and (split or _on_base(one)):
            return Conclusion(None, Reason.PARTLY_THERE)
        if one.checked and not one.resources:
            return Conclusion(None, Reason.PARTLY_THERE)
    return ALL


def _none_created(sight: Sight, *, anything_created: bool) -> Conclusion:
    """None of our creations is there: it may be sent (again), if every target still stands on the version we accepted it for."""
    updated = [one for one in sight.found if one.entry.target]
    if not anything_created and updated and all(one.resources and not one.differences for one in updated):
        return ALL
    if any(one.entry.base and not _on_base(one) for one in updated):
        return Conclusion(None, Reason.CHANGED_MEANWHILE)
    return NOTHING


def _on_base(one: Found) -> bool:
    return bool(one.resources) and one.entry.base is not None and one.version == one.entry.base
