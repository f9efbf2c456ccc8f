"""How much of the response an expression looks at: single items by linkId, its own item, or all of it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.fhirpath import ast
from portal.fhirpath.shapes import recognised

ROOTS = frozenset({"resource", "rootResource", "QuestionnaireResponse"})
FREE = frozenset({"iif", "coalesce", "today", "now", "timeOfDay"})
"""Functions that, at the head of a path, do not look at what they are called on."""
BINDING = frozenset({"where", "select", "exists", "all", "repeat", "aggregate", "sort", "repeatAll"})
"""Functions whose arguments are about each item, no longer about where the expression stands."""
OF_TYPES = frozenset({"ofType", "is", "as"})
"""Functions whose argument is the name of a type."""


@dataclass(slots=True)
class Use:
    """`document`: %resource is used for more than look-ups by linkId. `focus`: "" its own place is not used, "lookup"
    only to look up items by linkId, "whole" otherwise. `rooted`: what it looks up there it looks up by the name of the
    response, `QuestionnaireResponse.item…`, and so from the top."""

    document: bool = False
    focus: str = ""
    rooted: bool = False

    def place(self, how: str, rooted: bool = False) -> None:
        self.rooted = rooted and (self.rooted or not self.focus)
        if self.focus != "whole":
            self.focus = how


def use_of(tree: ast.Expr) -> Use:
    use = Use()
    _look(tree, False, use)
    return use


def _look(part: ast.Part, bound: bool, use: Use) -> None:
    if isinstance(part, ast.Path):
        _path(part, bound, use)
    elif isinstance(part, ast.Variable):
        _variable(part, use)
    elif isinstance(part, ast.Special):
        if part.name == "this" and not bound:
            use.place("whole")
    elif isinstance(part, ast.Call):
        _arguments(part, bound, use)
    else:
        for child in ast.children(part):
            _look(child, bound, use)


def _variable(variable: ast.Variable, use: Use) -> None:
    if variable.name in ROOTS:
        use.document = True
    elif variable.name == "context":
        use.place("whole")


def _path(path: ast.Path, bound: bool, use: Use) -> None:
    steps, head = path.steps, path.head
    looked = recognised(None, steps)
    at_once = looked is not None and looked.start == 0
    if isinstance(head, ast.Variable) and head.name in ROOTS and at_once:
        steps = steps[2:]
    elif head is None and not bound:
        if at_once:
            use.place("lookup")
            steps = steps[2:]
        elif not (steps and isinstance(steps[0], ast.Call) and steps[0].name in FREE):
            first = steps[0] if steps else None
            use.place("whole", isinstance(first, ast.Member) and first.name == "QuestionnaireResponse")
    elif head is not None:
        _look(head, bound, use)
    for step in steps:
        _look(step, bound, use)


def _arguments(call: ast.Call, bound: bool, use: Use) -> None:
    for argument in () if call.name in OF_TYPES else call.arguments:
        _look(argument, bound or call.name in BINDING, use)
