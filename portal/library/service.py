"""What other rooms may ask of the form library."""

from portal.library.activating import activate, deactivate, issues
from portal.library.comparing import Comparison, Difference, compare
from portal.library.expansions import KeptLists, ListState, fetch, refresh, states
from portal.library.importing import KNOWN, REFUSED, TAKEN, Brought, Result, bring_in, may_manage
from portal.library.models import FormStep, FormVersion, LibraryForm
from portal.library.reading import Kept, checked, download, every, may_see, one, steps, version
from portal.library.reading import compiled as compiled_for_staff
from portal.library.rules import Occasion, Rule, age_on, applies, months_before, sentence
from portal.library.shelf import Asked, asked, asked_now, compiled, lists_as_of
from portal.library.stock import everywhere, supply

__all__ = [
    "KNOWN",
    "REFUSED",
    "TAKEN",
    "Asked",
    "Brought",
    "Comparison",
    "Difference",
    "FormStep",
    "FormVersion",
    "Kept",
    "KeptLists",
    "LibraryForm",
    "ListState",
    "Occasion",
    "Result",
    "Rule",
    "activate",
    "age_on",
    "applies",
    "asked",
    "asked_now",
    "bring_in",
    "checked",
    "compare",
    "compiled",
    "compiled_for_staff",
    "deactivate",
    "download",
    "every",
    "everywhere",
    "fetch",
    "issues",
    "lists_as_of",
    "may_manage",
    "may_see",
    "months_before",
    "one",
    "refresh",
    "sentence",
    "states",
    "steps",
    "supply",
    "version",
]
