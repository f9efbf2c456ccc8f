"""The functions of FHIRPath by family; importing this fills the table in registry."""

from portal.fhirpath.functions import (  # noqa: F401 - each import registers its functions
    aggregates,
    boundaries,
    combining,
    conversion,
    existence,
    fhir,
    filtering,
    intervals,
    mathematics,
    moments,
    patterns,
    scores,
    strings,
    subsetting,
    tree,
    typing,
    utility,
)
from portal.fhirpath.functions.registry import FUNCTIONS, REFUSED, Function

__all__ = ["FUNCTIONS", "REFUSED", "Function"]
