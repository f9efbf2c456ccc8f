"""Beside fhirpathpy: data as it takes it, and whether its result is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.fhirpath.test_public_suites import same


def floats(value: Any) -> Any:
    """The data as fhirpathpy takes it."""
    return json.loads(json.dumps(value, default=float))


def quiet(run: Callable[[], Any]) -> Any:
    """What comes of it, or what was raised: the other engine raises anything."""
    try:
        return run()
    except Exception as error:
        return error


def agree(mine: Any, theirs: Any) -> bool:
    """Whether both engines gave the same collection."""
    if not (isinstance(mine, list) and isinstance(theirs, list)):
        return False
    read = quiet(lambda: json.loads(json.dumps(theirs, default=str), parse_float=Decimal))
    return isinstance(read, list) and same(mine, read, precise=False)
