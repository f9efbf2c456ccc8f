"""Runs a search and draws the searchset: matches, what they include, what points at them, links to the next page."""
# ruff: noqa: S608  (column and table names come from the table of parameters; every value is a parameter)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from portal.sandbox.access import Access
from portal.sandbox.parameters import parameters
from portal.sandbox.query import Query, within_compartment
from portal.sandbox.store import Stored, Unit

Key = int


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource on a page and why it is there: `match` or `include`."""

    key: Key
    stored: Stored
    mode: str


def matches(unit: Unit, query: Query, limit: int | None = None) -> list[Hit]:
    """The resources that match, in the asked order: one page, or the first `limit`."""
    where, values = query.sql()
    order, order_values = query.order()
    size, start = (query.count, query.offset) if limit is None else (limit, 0)
    return _hits(unit, f"{where} ORDER BY {order} LIMIT {size} OFFSET {start}", [*values, *order_values], "match")


def searchset(unit: Unit, query: Query, access: Access) -> dict[str, Any]:
    """The Bundle. A patient's token sees only what is theirs; what the scopes do not name is not included."""
    if access.patient and access.held_to_patient(query.type):
        within_compartment(query, access.patient)
    where, values = query.sql()
    total = unit.connection.execute(f"SELECT count(*) FROM resource r WHERE {where}", values).fetchone()[0]
    hits = [] if query.only_count else matches(unit, query)
    shown = hits + _included(unit, query, hits, access)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if query.total or query.only_count:
        bundle["total"] = total
    bundle["link"] = _links(unit.base_url, query, total)
    entries = [entry(unit.base_url, hit.stored) | {"search": {"mode": hit.mode}} for hit in shown]
    return bundle | ({"entry": entries} if entries else {})


def entry(base_url: str, stored: Stored) -> dict[str, Any]:
    """fullUrl and the resource as it is stored, byte for byte."""
    return {"fullUrl": f"{base_url}/{stored.path}", "resource": stored.raw}


def _links(base_url: str, query: Query, total: int) -> list[dict[str, str]]:
    def link(relation: str, offset: int) -> dict[str, str]:
        pairs = [pair for pair in query.used if pair[0] not in ("_offset", "_count")]
        pairs.append(("_count", str(query.count)))
        if offset:
            pairs.append(("_offset", str(offset)))
        return {"relation": relation, "url": f"{base_url}/{query.type}?{urlencode(pairs)}"}

    links = [link("self", query.offset)]
    if not query.only_count and query.offset + query.count < total:
        links.append(link("next", query.offset + query.count))
    if not query.only_count and query.offset:
        links.append(link("previous", max(0, query.offset - query.count)))
    return links


def _included(unit: Unit, query: Query, hits: list[Hit], access: Access) -> list[Hit]:
    """What the hits point at (`_include`) and what points at them (`_revinclude`), each once."""
    seen = {hit.key for hit in hits}

    def new(found: list[Hit]) -> list[Hit]:
        fresh = {
            hit.key: hit for hit in found if hit.key not in seen and access.may_see(unit, hit.key, hit.stored.type)
        }
        seen.update(fresh)
        return list(fresh.values())

    found = new([hit for value in [*query.include, *query.iterate] for hit in _pointed_at(unit, value, hits)])
    found += new([hit for value in query.revinclude for hit in _pointing_at(unit, value, hits)])
    fresh = found
    while fresh and query.iterate:
        fresh = new([hit for value in query.iterate for hit in _pointed_at(unit, value, fresh)])
        found += fresh
    return found


def _pointed_at(unit: Unit, value: str, hits: list[Hit]) -> list[Hit]:
    source, name, target = (value + ":").split(":")[:3]
    keys = [hit.key for hit in hits if hit.stored.type == source]
    only = target or parameters(source)[name].only or ""
    return _hits(
        unit,
        f"r.body IS NOT NULL AND r.type || '/' || r.id IN (SELECT s.target FROM by_reference s"
        f" WHERE s.key IN ({_marks(keys)}) AND s.param = ? AND s.target LIKE ?) ORDER BY r.type, r.id",
        [*keys, name, f"{only}/%" if only else "%"],
        "include",
    )


def _pointing_at(unit: Unit, value: str, hits: list[Hit]) -> list[Hit]:
    source, name, _ = (value + ":").split(":")[:3]
    targets = [hit.stored.path for hit in hits]
    return _hits(
        unit,
        f"r.body IS NOT NULL AND r.type = ? AND r.key IN (SELECT s.key FROM by_reference s"
        f" WHERE s.param = ? AND s.target IN ({_marks(targets)})) ORDER BY r.type, r.id",
        [source, name, *targets],
        "include",
    )


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * len(values))


def _hits(unit: Unit, where: str, values: list[Any], mode: str) -> list[Hit]:
    rows = unit.connection.execute(
        f"SELECT r.key, r.type, r.id, r.version, r.modified, '', r.body FROM resource r WHERE {where}", values
    )
    return [Hit(row[0], Stored(*row[1:]), mode) for row in rows]
