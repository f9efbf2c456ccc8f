"""Converting between UCUM units, only where UCUM itself allows it (mg/dL to mmol/L needs the substance: no)."""

import re
from decimal import Decimal, InvalidOperation

from portal.fhirpath import ucum

_ALONE = re.compile(r"\[(?:iU|IU|arb'U|CFU|PFU)\]|eq\b|osm")
"""Units that UCUM reckons as plain numbers or moles, though how many depends on the substance."""


def convert(number: Decimal, given: str, wanted: str) -> Decimal | None:
    """The number in the wanted unit, without digits it did not have grown in; None when UCUM does not allow it, and where a
    scale has a zero of its own (degrees Celsius)."""
    if _ALONE.findall(given) != _ALONE.findall(wanted):
        return None
    mine, yours = ucum.measure(given), ucum.measure(wanted)
    if mine is None or yours is None or mine.dimensions != yours.dimensions or mine.offset or yours.offset:
        return None
    try:
        return +ucum.converted(number, mine, yours).normalize()
    except InvalidOperation:
        return None
