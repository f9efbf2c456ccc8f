"""The questionnaire engine: FHIR R4 Questionnaire with SDC, decided on the server, free of web, database and clock.

form = load(raw)                                   a Questionnaire, checked and compiled once (FormRefused says why not)
filling = Filling(form, response, context)         its answers, evaluated
filling.pages, filling.nodes(key)                  what to draw
filling.answer({name: [{"valueString": "…"}]})     a new filling
filling.check(key), filling.response("completed")  what is wrong, what is sent

Decided: a form opens without a prefill written in CQL, and its report says so; where CQL alone decides what is asked, the form is refused.
A code weighs what its own question says: scales turn every other question round. A response from elsewhere lacks nothing inside a part it
leaves out; our own pages ask for everything required that they show. A form is done when each of its pages was seen once. Screening
totals are for staff: a number without somebody to talk to frightens or falsely reassures; a form shows one by not hiding it. An
observation in another unit is converted where UCUM can, else not taken.

What could not be looked up is never taken for nothing: a search that fails, is refused or lacks a value, a batch answered in part, a
resource known by its reference only and a launch resource of another kind have no value at all. No "none", 0 or "no" is filled in from
them, a condition that leans on them leaves its question shown, a calculation keeps the answer it had, and staff are told. What nobody can
answer stops nobody (a required read-only question that was not filled in, a choice with nothing to choose from) and is told to staff;
`validate` still names it. enableWhen != does not hold while there is no answer (as in HL7's validator, LHC-Forms and Smart Forms), and
with several answers holds when none equals (R4's own words). $assemble keeps a placeholder that says when its module applies as the group
around it. Extraction tells what an element cannot hold instead of overwriting, cutting or writing it as text. Variables worked out of each
other are refused at import.
"""

from . import parse
from .assemble import assemble
from .context import Context, Terminology
from .definition import Form, load
from .extract import Extraction, extract
from .filling import Filling, Page
from .issues import FormRefused, Issue, Refusal, Trouble
from .items import Item
from .migrate import Change, Migration, migrate
from .nodes import Node
from .options import Option
from .origins import Origin, confirmed, origin
from .parameters import context_of
from .populate import populate, populated
from .report import report
from .richtext import Html
from .scoring import Score, Scores, score
from .summary import Row, Section
from .validate import operation_outcome, validate

__all__ = [
    "Change",
    "Context",
    "Extraction",
    "Filling",
    "Form",
    "FormRefused",
    "Html",
    "Issue",
    "Item",
    "Migration",
    "Node",
    "Option",
    "Origin",
    "Page",
    "Refusal",
    "Row",
    "Score",
    "Scores",
    "Section",
    "Terminology",
    "Trouble",
    "assemble",
    "confirmed",
    "context_of",
    "extract",
    "load",
    "migrate",
    "operation_outcome",
    "origin",
    "parse",
    "populate",
    "populated",
    "report",
    "score",
    "validate",
]
