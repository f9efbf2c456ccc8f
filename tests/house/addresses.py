"""Every way in of the application: its rules and methods from `app.url_map`, and their addresses for one person's things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from portal.actors import MAY, Role
from portal.guard import SAFE
from tests.house.doors import DOORS, THINGS, Door
from tests.house.world import MISSING, Visitor, World

OWN, FOREIGN, NOBODYS = "own", "foreign", "missing"
OBJECTS = (OWN, FOREIGN, NOBODYS)


@dataclass(frozen=True)
class Way:
    """One rule with one method."""

    rule: str
    method: str
    endpoint: str
    parts: frozenset[str]

    @property
    def door(self) -> Door:
        return DOORS[self.endpoint]

    @property
    def safe(self) -> bool:
        return self.method in SAFE

    def path(self, world: World, visitor: Visitor, thing: str = OWN) -> str:
        """The address for this visitor of their own thing, of somebody else's, or of one that is not there."""
        owner = visitor.foreign if thing == FOREIGN else visitor.own
        held = {part: self._part(part, world, owner, thing) for part in self.parts}
        with world.app.test_request_context():
            return str(world.app.url_map.bind("localhost").build(self.endpoint, held, method=self.method))

    def _part(self, part: str, world: World, owner: str, thing: str) -> str:
        if part in self.door.at:
            return self.door.at[part]
        return MISSING if thing == NOBODYS else world.things[owner][self.door.named.get(part) or THINGS[part]]

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def ways(app: Flask, *methods: str) -> Iterator[Way]:
    """Every rule with each of its methods (or only these)."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            if not methods or method in methods:
                yield Way(rule.rule, method, rule.endpoint, frozenset(rule.arguments))


def unsafe(app: Flask) -> list[Way]:
    return [way for way in ways(app) if not way.safe]


def admitted(way: Way, visitor: Visitor) -> bool:
    """Whether this visitor may pass this door with their own things."""
    door = way.door
    if door.roles is None:
        return True
    if not visitor.is_known or visitor.role not in door.roles:
        return False
    within = visitor.role is not Role.PROXY or door.scope is None or door.scope in visitor.scope
    return within and (door.needs is None or door.needs in _permissions(visitor))


def _permissions(visitor: Visitor) -> frozenset[str]:
    assert visitor.role is not None
    return frozenset(MAY.get(visitor.role, frozenset()))


def insiders(way: Way, visitors: tuple[Visitor, ...]) -> list[Visitor]:
    return [visitor for visitor in visitors if admitted(way, visitor)]
