"""The table of functions: name, what its arguments are, what runs. Families register themselves on import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.fhirpath.env import Env, Items

Body = Callable[[Env], Items]
"""A compiled argument, evaluated against `env.this`."""


@dataclass(frozen=True, slots=True)
class Function:
    """kinds, one an argument: each (a Body, run per item), items (a collection), value (one value or None),
    type (a TypeName), sort (a SortKey's Body and direction)."""

    name: str
    run: Callable[..., Items]
    kinds: tuple[str, ...]
    least: int
    many: bool


FUNCTIONS: dict[str, Function] = {}

REFUSED = {
    "checkModifiers": "checkModifiers() is not supported",
    "elementDefinition": "elementDefinition() is not supported",
    "slice": "slice() is not supported",
}


def function(name: str, *kinds: str) -> Callable[[Callable[..., Items]], Callable[..., Items]]:
    """Registers a function; a kind ending in `?` may be left out, one ending in `*` may come again and again."""
    least = sum(1 for kind in kinds if kind[-1] not in "?*")
    many = bool(kinds) and kinds[-1].endswith("*")

    def register(run: Callable[..., Items]) -> Callable[..., Items]:
        FUNCTIONS[name] = Function(name, run, tuple(kind.rstrip("?*") for kind in kinds), least, many)
        return run

    return register


def each(env: Env, items: Items, body: Body) -> list[tuple[Any, Items]]:
    """Every item with what the body makes of it; `$this` and `$index` are set for it."""
    this, index = env.this, env.index
    found = []
    try:
        for number, item in enumerate(items):
            env.spend(3)
            env.this, env.index = [item], number
            found.append((item, body(env)))
    finally:
        env.this, env.index = this, index
    return found
