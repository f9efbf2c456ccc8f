"""FHIRPath: expressions parsed by the grammar, compiled once, evaluated exactly and within a budget.

    from portal.fhirpath import compile
    compile("Patient.name.given.first()").evaluate(patient)          # ["Ada"]

One Expression serves any number of evaluations. Give each evaluation over the same response one ResponseIndex as `context`, and
`…repeat(item).where(linkId = 'x')`, `…descendants().where(linkId = 'x')` and `….item.where(linkId = 'x')` are look-ups. Where a
result feeds another expression as a variable, evaluate_items() keeps its types.

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
from portal.fhirpath.ucum import load_units

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
    "load_units",
    "node",
]
