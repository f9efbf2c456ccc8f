"""Every Observation and DiagnosticReport of the public corpus goes through the labs room: no exception, no value altered, none dropped."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from portal.labs.assembling import assemble
from portal.labs.trend import series

ROOT = os.environ.get("PORTAL_CORPUS", "")
pytestmark = pytest.mark.skipif(
    not Path(ROOT or "/nowhere").exists(), reason="PORTAL_CORPUS does not name the public corpus"
)
KINDS = ("Observation", "DiagnosticReport")


class Number(str):
    """A JSON number as it stands in the file."""


def resources(value):
    if isinstance(value, dict):
        if value.get("resourceType") in KINDS:
            yield value
        for held in value.values():
            yield from resources(held)
    elif isinstance(value, list):
        for held in value:
            yield from resources(held)


@pytest.fixture(scope="module")
def documents():
    """(path, as the product reads it, with numbers as written) of every JSON file that holds a result."""
    found = []
    for path in sorted(Path(ROOT).rglob("*.json")):
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        if '"Observation"' not in text and '"DiagnosticReport"' not in text:
            continue
        try:
            found.append(
                (path, json.loads(text, parse_float=Decimal), json.loads(text, parse_float=Number, parse_int=Number))
            )
        except json.JSONDecodeError:
            continue
    return found


def shown(report):
    """Everything the room would put on a page, as one text."""
    return repr(report)


def written(resource):
    """What of the resource a reader must find again: numbers digit for digit, units, words, notes, statuses, conclusions."""
    for name, held in resource.items():
        if name.startswith("value"):
            yield from leaves(name, held)
    for component in listed(resource.get("component")):
        for name, held in component.items():
            if name.startswith("value"):
                yield from leaves(name, held)
        yield from ranges(component)
    yield from ranges(resource)
    for reason in (
        resource.get("dataAbsentReason"),
        *(each.get("dataAbsentReason") for each in listed(resource.get("component"))),
    ):
        if isinstance(reason, dict) and "text" in reason:
            yield reason["text"]
    for note in listed(resource.get("note")):
        yield note["text"]
    if isinstance(resource.get("conclusion"), str):
        yield resource["conclusion"]


def leaves(name, held):
    if isinstance(held, bool):
        yield "Yes" if held else "No"
    elif isinstance(held, str):
        yield from held.split() if name == "data" else [held]
    elif isinstance(held, list):
        return
    elif "numerator" in held or "low" in held or "high" in held or "origin" in held:
        for side in ("numerator", "denominator", "low", "high", "origin", "data", "factor"):
            if side in held:
                yield from leaves(side, held[side])
    elif "coding" in held or "text" in held:
        yield held.get("text") or next(
            (c.get("display") or c["code"] for c in held["coding"] if c.get("display") or c.get("code")), ""
        )
    else:
        yield from (
            held[each] for each in ("value", "unit", "start", "end", "title") if isinstance(held.get(each), str)
        )


def ranges(holder):
    for each in listed(holder.get("referenceRange")):
        for side in ("low", "high"):
            if side in each:
                yield from leaves(side, each[side])
        if "text" in each:
            yield each["text"]


def listed(value):
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def same(expected, page):
    if isinstance(expected, Number) and "e" in expected.lower():
        return format(Decimal(expected), "f") in page
    return expected in page or repr(expected)[1:-1] in page


def test_no_value_is_altered_or_dropped(documents):
    seen, values = 0, 0
    for path, document, as_written in documents:
        for resource, raw in zip(resources(document), resources(as_written), strict=True):
            page = "".join(shown(report) for report in assemble([resource]))
            assert page, path
            for expected in written(raw):
                values += 1
                assert same(expected, page), (path, expected, resource.get("id"))
            seen += 1
    print(f"{seen} results, {values} values from {len(documents)} files")
    assert seen > 2500 and values > 4000


def test_every_observation_of_a_document_is_shown_once_or_in_each_report_that_names_it(documents):
    reports = 0
    for path, document, _ in documents:
        found = list(resources(document))
        made = assemble(found)
        reports += len(made)
        rows = {row.key for report in made for row in report.rows}
        missing = {
            f"Observation/{each['id']}" for each in found if each["resourceType"] == "Observation" and each.get("id")
        } - rows
        assert not missing, (path, sorted(missing)[:3])
        expected = {
            f"DiagnosticReport/{each.get('id', '')}" for each in found if each["resourceType"] == "DiagnosticReport"
        }
        assert expected <= {report.key for report in made}, path
        assert series(made) is not None
    assert reports > 300
