"""Reads the public FHIRPath suites of the corpus into cases of one kind."""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from portal.fhirpath import node
from tests.fhirpath import fhir_xml

CORPUS = os.environ.get("PORTAL_CORPUS", "")
YAML_SUITES = ("hl7-fhirpath-js", "fhirpath-py-cases")
XML_SUITE = "hl7-fhirpath-spec"
INPUTS = (
    "hl7-fhirpath-js/resources/r4",
    "fhirpath-py-cases/resources",
    "hl7-fhirpath-js/converter/dataset/input-r4",
    "hl7-fhirpath-spec/r4/input",
    "fhir-test-cases/r4/examples",
)
TEST = re.compile(r"<test\b([^>]*)>(.*?)</test>", re.DOTALL)
ATTRIBUTE = re.compile(r'([a-zA-Z]+)="([^"]*)"')
EXPRESSION = re.compile(r"<expression\b([^>]*)>(.*?)</expression>", re.DOTALL)
OUTPUT = re.compile(r"<output\b([^>/]*)(?:/>|>(.*?)</output>)", re.DOTALL)
OTHER_MODELS = ("dstu2", "stu3", "r5")


class Unusable(Exception):
    """The case cannot be run here; the message says why."""


@dataclass
class Case:
    """One expression with what it should give: `result`, or an error."""

    suite: str
    file: str
    name: str
    expression: str
    result: list[Any] = field(default_factory=list)
    error: bool = False
    predicate: bool = False
    model: str | None = None
    subject: Any = None
    input_file: str = ""
    context: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    precise: bool = False
    unusable: str = ""
    base: str = ""

    @property
    def key(self) -> str:
        return f"{self.suite}/{self.file}: {self.expression.strip()}"

    def resource(self) -> Any:
        found = input_of(self.input_file) if self.input_file else self.subject
        return node(found, self.base) if self.base else found


LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""ten times as fast where libyaml is there; both read the same"""


class ExactLoader(LOADER):
    """YAML with exact decimals, and dates as the text they are."""


ExactLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in LOADER.yaml_implicit_resolvers.items()
}
ExactLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(str(node.value)))


UCUM = "http://unitsofmeasure.org"
# Inputs that the suites name and the corpus lacks, made after what the cases say of them.
MADE = {
    "observation-quantity-year-ucum.json": {
        "resourceType": "Observation",
        "valueQuantity": {"value": 1, "unit": "year", "system": UCUM, "code": "a"},
    },
}


@lru_cache(maxsize=64)
def input_of(name: str) -> Any:
    if name in MADE:
        return MADE[name]
    for folder in INPUTS:
        for path in (Path(CORPUS, folder, name), Path(CORPUS, folder, name).with_suffix(".xml")):
            if path.exists() and path.suffix == ".json":
                return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
            if path.exists():
                return fhir_xml.read(path)
    raise Unusable(f"the input {name} is not in the corpus")


@cache
def cases() -> list[Case]:
    """Every case of every suite; none without the corpus."""
    if not CORPUS:
        return []
    found = [
        case
        for suite in YAML_SUITES
        for path in sorted(Path(CORPUS, suite, "cases").glob("*.yaml"))
        for case in yaml_cases(suite, path)
    ]
    return found + xml_cases(Path(CORPUS, XML_SUITE, "r4", "tests-fhir-r4.xml"))


def yaml_cases(suite: str, path: Path) -> list[Case]:
    content = yaml.load(path.read_text(encoding="utf-8"), ExactLoader)
    return [
        case
        for entry in flattened(content["tests"])
        for case in yaml_entry(suite, path.name, entry, content.get("subject"))
    ]


def flattened(entries: list[Any]) -> list[dict[str, Any]]:
    found = []
    for entry in entries:
        groups = [value for key, value in entry.items() if str(key).startswith("group")]
        if groups:
            found += [one for group in groups for one in flattened(group)]
        elif "expression" in entry:
            found.append(entry)
    return found


def yaml_entry(suite: str, file: str, entry: dict[str, Any], subject: Any) -> list[Case]:
    expressions = entry["expression"]
    result = entry.get("result", [])
    model = entry.get("model", "r4" if file == "fhir-r4.yaml" else None)
    unusable = "switched off by its authors" if entry.get("disable") else ""
    if model in OTHER_MODELS or file == "fhir-r5.yaml":
        unusable = f"written for the model {model}"
    return [
        Case(
            suite,
            file,
            str(entry.get("desc", "")),
            str(expression["expression"] if isinstance(expression, dict) else expression),
            result if isinstance(result, list) else [result],
            bool(entry.get("error")),
            model="R4" if model == "r4" else None,
            subject=subject,
            input_file=entry.get("inputfile", ""),
            context=entry.get("context", ""),
            variables=entry.get("variables") or {},
            precise=bool(entry.get("preciseMath")),
            unusable=unusable,
            base=expression["base"] if isinstance(expression, dict) else "",
        )
        for expression in (expressions if isinstance(expressions, list) else [expressions])
    ]


def xml_cases(path: Path) -> list[Case]:
    """Read by patterns: the file as published is not well-formed."""
    text = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [xml_case(path.name, *match.groups()) for match in TEST.finditer(text)]


def xml_case(file: str, head: str, body: str) -> Case:
    test = dict(ATTRIBUTE.findall(head))
    marks, expression = EXPRESSION.search(body).groups()  # type: ignore[union-attr]
    strict = test.get("mode") == "strict" or "checkOrderedFunctions" in test
    return Case(
        XML_SUITE,
        file,
        test.get("name", ""),
        html.unescape(expression),
        [
            typed(dict(ATTRIBUTE.findall(kind)).get("type"), html.unescape(value or ""))
            for kind, value in OUTPUT.findall(body)
        ],
        error="invalid" in test or "invalid" in dict(ATTRIBUTE.findall(marks)),
        predicate=test.get("predicate") == "true",
        model="R4",
        input_file=test.get("inputfile", "patient-example.xml"),
        unusable="asks for static checks (strict mode)" if strict else "",
    )


def typed(kind: str | None, text: str) -> Any:
    if kind == "boolean":
        return text.strip() == "true"
    if kind in ("integer", "decimal"):
        return Decimal(text.strip())
    return text.lstrip("@") if kind in ("date", "dateTime", "time") else text
