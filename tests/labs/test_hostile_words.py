"""Whatever a laboratory writes, in any field, stays text on the page: no markup, no format characters, nothing lost."""

import re
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest
from flask import render_template

from portal.labs.assembling import assemble
from portal.labs.chart import chart
from portal.labs.service import Overview
from portal.labs.since import news
from portal.labs.trend import series
from tests.labs.make import observation, quantity, report


class Tags(HTMLParser):
    """The tags of a page that could do something: scripts of the page itself, pictures, handlers, strange addresses."""

    def __init__(self, page):
        super().__init__()
        self.active = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        script = tag == "script" and not (held.get("src") or "").startswith("/static/")
        handler = any(name.startswith("on") for name in held)
        address = (held.get("href") or "/").startswith(("javascript:", "data:"))
        if script or handler or address or tag in {"img", "iframe", "object", "style"} or "style" in held:
            self.active.append((tag, held))


WORDS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "100 % of %(patients)s {{ 7*7 }} %s",
    "K+ <3.5 & 'rash'",
    "javascript:alert(1)//${7*7}",
]


def everywhere(word):
    """A report and two results with the word in every field that a laboratory can write."""
    concept = {"text": word, "coding": [{"system": word, "code": word, "display": word}]}
    ranges = [
        {
            "low": {"value": 1, "unit": word},
            "text": word,
            "type": concept,
            "appliesTo": [concept],
            "age": {"low": {"value": 1, "unit": word}},
        }
    ]
    common = {
        "code": concept,
        "interpretation": [concept],
        "referenceRange": ranges,
        "performer": [{"display": word}],
        "specimen": {"display": word},
        "method": concept,
        "bodySite": concept,
        "note": [{"text": word}],
        "issued": word,
    }
    component = [{"code": concept, "valueString": word}, {"code": concept, "dataAbsentReason": concept}]
    first = {**observation("1", at="2025-01-01", valueQuantity=quantity("1", word), component=component), **common}
    second = {**observation("2", at="2026-01-01", valueQuantity=quantity("2", word), status="corrected"), **common}
    bad = {**observation("3", at=word, status=word, valueCodeableConcept=concept), **common}
    gone = {**observation("4", at=word, status="entered-in-error", valueString=word), **common}
    coded = {"conclusion": word, "conclusionCode": [concept], "presentedForm": [{"title": word}], "status": word}
    whole = report(
        "r", ("1", "2", "3", "4"), name=word, performer=[{"display": word}], specimen=[{"display": word}], **coded
    )
    earlier = {"Observation/2": [{**second, "valueQuantity": quantity("9", word)}]}
    return assemble([first, second, bad, gone, whole], earlier)


@pytest.mark.parametrize("word", WORDS)
def test_hostile_words_stay_words(app, word):
    reports = everywhere(word)
    known = series(reports)
    entries = tuple((f"{number:016x}", each) for number, each in enumerate(reports))
    places = {row.key: "0" * 16 for each in reports for row in each.rows}
    fresh = news(reports, known, date(2024, 12, 31))
    overview = Overview(
        "known", datetime.now(UTC), word, "", True, entries, dict.fromkeys(known, "0" * 16), known, places, fresh
    )
    step = {"act": "asked", "at": datetime.now(UTC), "document": {"by": word, "text": word}}
    said = {"name": word, "value": word, "absent": False, "when": word, "flag": word, "report": word, "reference": word}
    asked = {"id": "0" * 16, "document": said, "state": "answered", "asked_at": datetime.now(UTC), "steps": [step]}
    row = {"question": {**asked, "about": "0" * 16}, "name": word, "born": word}
    about = {"result": reports[0].rows[0], "asked": [], "reaches": True}
    drawn = max(known.values(), key=lambda each: len(each.points))
    app.jinja_env.globals["clinic_phone"] = word
    with app.test_request_context("/results"):
        pages = [
            render_template("labs/overview.html", overview=overview, asked=[asked], urgent=entries),
            render_template("labs/print.html", overview=overview, name=word, born=None),
            render_template("labs/ask.html", overview=overview, about=about, issues=[], typed=word),
            render_template("labs/question.html", question=row["question"], issues=[], typed=word),
            render_template("labs/desk.html", rows=[row], waiting=1, view="open"),
            render_template("labs/desk_question.html", row=row, issues=[], typed=word, may_answer=True, may_close=True),
            render_template("labs/trend.html", overview=overview, series=drawn, chart=chart(drawn)),
            *(render_template("labs/report.html", overview=overview, report=each, grid=None) for each in reports),
        ]
    for page in pages:
        found = Tags(page)
        assert not found.active, found.active
        assert "49" not in re.findall(r">\s*(49)\s*<", page)
    assert all(
        word.split()[0].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;") in page
        for page in pages
    )
