"""Every Observation and DiagnosticReport of the public corpus goes through the labs room: no exception, no value altered, none dropped."""

import json
import os
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from flask import render_template_string

import portal
from portal.labs.assembling import assemble
from portal.labs.overview import Overview
from portal.labs.trend import series
from tests import make

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


def digits(number):
    """A number as written, an exponent written out: 1.10 is not 1.1."""
    return format(Decimal(number), "f") if "e" in number.lower() else str(number)


def quantities(resource):
    """Every number that is a result, with its unit: of the resource itself and of its components, in order."""
    for holder in (resource, *listed(resource.get("component"))):
        held = holder.get("valueQuantity")
        if isinstance(held, dict) and isinstance(held.get("value"), Number):
            unit = held.get("unit") or held.get("code") or ""
            yield (
                digits(held["value"]),
                held.get("comparator", ""),
                "" if unit == "1" and not held.get("unit") else unit,
            )


SIGNS = {"<=": "≤", ">=": "≥"}


def test_every_number_is_the_very_text_that_was_sent(documents):
    """Not somewhere on the page but as the value: digits, comparator and unit equal, trailing noughts and all."""
    seen, noughts = 0, 0
    for path, document, as_written in documents:
        for resource, raw in zip(resources(document), resources(as_written), strict=True):
            if raw["resourceType"] != "Observation":
                continue
            rows = [row for report in assemble([resource]) for row in report.rows]
            held = [(row.value.text, row.value.unit) for row in rows if row.value.kind == "quantity"]
            sent = [(SIGNS.get(sign, sign) + number, unit) for number, sign, unit in quantities(raw)]
            assert [pair for pair in held if pair in sent] == sent, (path, resource.get("id"))
            seen += len(sent)
            noughts += sum("." in number and number.endswith("0") for number, _unit in sent)
    print(f"{seen} numbers, {noughts} with a nought at the end")
    assert seen > 1900 and noughts > 20


def test_every_document_is_a_page_and_every_value_is_on_it(documents, tmp_path):
    """The reports of each document through the templates themselves: all names, values and units are on paper."""
    pages, values = 0, 0
    app = portal.create_app(make.settings(tmp_path, f"sqlite:///{tmp_path}/none.db"))
    with app.test_request_context("/results/print"):
        for path, document, _ in documents:
            reports = assemble(list(resources(document)))
            text = unescape(_printed(reports))
            for report in reports:
                for row in report.rows:
                    if row.value.present and row.value.kind not in ("sampled", "date") and not row.value.translate:
                        assert row.value.text in text and row.value.unit in text, (path, row.key)
                        values += 1
            pages += 1
    print(f"{pages} pages, {values} values on them")
    assert pages > 100 and values > 2500


def _printed(reports):
    template = (
        '{% from "labs/parts.html" import rows, gist with context %}'
        "{% for each in reports %}{{ gist(each) }}{{ rows(each.results, overview, each.name, links=false) }}{% endfor %}"
    )
    return render_template_string(template, reports=reports, overview=Overview("known"), clinic_phone="")


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
