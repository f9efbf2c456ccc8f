"""Converting between UCUM units, only where UCUM itself allows it (mg/dL to mmol/L needs the substance: no)."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Loaded when two units first differ: parsing UCUM's table takes about a second."""
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry(non_int_type=Decimal)


@lru_cache(maxsize=512)
def _factor(given: str, wanted: str) -> Decimal | None:
    """What one `given` is in `wanted`; None when they measure different things, have an offset, or are no UCUM units."""
    if not given or not wanted:
        return None
    try:
        registry = _registry()
        one, zero = (registry.Quantity(Decimal(count), registry.from_ucum(given)) for count in (1, 0))
        target = registry.from_ucum(wanted)
        if zero.to(target).magnitude != 0:
            return None
        return Decimal(str(one.to(target).magnitude))
    except Exception:  # ucumvert and pint raise many kinds; each means: not convertible
        return None


def convert(number: Decimal, given: str, wanted: str) -> Decimal | None:
    """The number in the wanted unit, without digits it did not have grown in; None when UCUM does not allow it."""
    factor = _factor(given, wanted)
    if factor is None:
        return None
    try:
        return +(number * factor).normalize()
    except InvalidOperation:
        return None
