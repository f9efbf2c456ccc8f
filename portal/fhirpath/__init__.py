"""FHIRPath: expressions parsed by the grammar, compiled once, evaluated exactly and within a budget.

    from portal.fhirpath import compile
    compile("Patient.name.given.first()").evaluate(patient)          # ["Ada"]

Pure Python without the rest of the portal: no clock (pass `now`), no network (pass a Host), no unbounded work (Budget).
"""

from portal.fhirpath.budget import Budget
from portal.fhirpath.errors import (
    FhirPathBudgetExceeded,
    FhirPathError,
    FhirPathEvaluationError,
    FhirPathSyntaxError,
    FhirPathUnsupported,
)
from portal.fhirpath.expression import R4, Expression, compile, node
from portal.fhirpath.host import Host
from portal.fhirpath.node import Node
from portal.fhirpath.quantity import Quantity
from portal.fhirpath.response_index import ResponseIndex
from portal.fhirpath.temporal import FhirDate, FhirDateTime, FhirTime

__all__ = [
    "R4",
    "Budget",
    "Expression",
    "FhirDate",
    "FhirDateTime",
    "FhirPathBudgetExceeded",
    "FhirPathError",
    "FhirPathEvaluationError",
    "FhirPathSyntaxError",
    "FhirPathUnsupported",
    "FhirTime",
    "Host",
    "Node",
    "Quantity",
    "ResponseIndex",
    "compile",
    "node",
]
