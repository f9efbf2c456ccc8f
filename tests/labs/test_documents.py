"""Documents of results: handed over whole, as what their bytes are, to their patient alone, through the choices that hold."""

# ruff: noqa: E501 - tables

import base64
import hashlib
import re

import pytest

from portal.audit.models import AuditRow
from portal.db import close, session
from portal.labs.assembling import assemble
from portal.labs.documents import BYTES, Damaged, document_of, handed, proved, unpacked
from portal.labs.plain import text_of
from tests.labs.make import observation, report
from tests.labs.test_pages import choose, page, words

ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What is handed over does not depend on where it is kept."""
PDF, PNG = b"%PDF-1.4 x", b"\x89PNG\r\n\x1a\nx"


def packed(content):
    return base64.b64encode(content).decode()


KINDS = [
    (PDF, "application/pdf", "application/pdf"),
    (PDF, "text/html", "application/pdf"),
    (PNG, "application/pdf", "image/png"),
    (b"<script>alert(1)</script>", "application/pdf", BYTES),
    (b"<svg onload=alert(1)>", "image/svg+xml", BYTES),
    (b"<html><body>x", "application/xml", BYTES),
    (b"MZ\x90", "application/pdf", BYTES),
    (b"Sodium\t139", "text/plain", "text/plain"),
    (b"\x00\x01", "text/plain", BYTES),
    (b"a,b", "text/csv", "text/csv"),
    (b"{\\rtf1", "application/rtf", BYTES),
]


@pytest.mark.parametrize(("content", "claimed", "kind"), KINDS)
def test_a_document_is_what_its_bytes_are(content, claimed, kind):
    assert handed(content, claimed, "Report")[1] == kind


def test_a_page_is_handed_over_as_the_text_of_it():
    html = b"<html><head><title>t</title></head><body><h1>Urine</h1><table><tr><td>Growth</td><td>none &lt; 5</td></tr></table><script>x()</script></body>"
    assert handed(html, "text/html", "Report") == ("Urine\n\nGrowth   none < 5", "text/plain", "Report")
    assert handed(b" <html>x</html>", "text/plain", "Report")[0] == "x"
    assert handed("Hämo".encode("cp1252"), "text/plain", "R")[0] == "Hämo"
    assert handed(b"{\\rtf1", "application/rtf", "Letter")[2] == "Letter.rtf"


@pytest.mark.parametrize(
    "html", ["<p", "<<<>>>", "</script>", "<script><p>x", "<svg><p>a</p></svg>b", "&#0;&bogus;", "<p>" * 5000]
)
def test_no_markup_comes_through_whatever_it_is(html):
    assert not re.search(r"<\s*(script|svg|p)\b.*>", text_of(html))


DAMAGED = [
    {"data": packed(PDF), "size": 3},
    {"data": packed(PDF), "hash": packed(hashlib.sha1(b"other").digest())},
    {"data": "not base64!"},
    {"data": packed(PDF)[:-3]},
    {"data": "===="},
]


@pytest.mark.parametrize("attachment", DAMAGED)
def test_what_is_not_whole_is_not_handed_over(attachment):
    document = document_of(attachment, "k", "DiagnosticReport/1")
    with pytest.raises(Damaged):
        proved(document, unpacked(document))


def test_the_fingerprint_counts_in_every_spelling():
    digest = hashlib.sha1(PDF)
    for spelled in (packed(digest.digest()), digest.hexdigest(), packed(digest.hexdigest().encode())):
        document = document_of({"data": packed(PDF), "hash": spelled, "size": len(PDF)}, "k", "DiagnosticReport/1")
        assert proved(document, unpacked(document)) == PDF


def test_every_document_of_a_report_and_of_its_results_is_told():
    scan = observation("1", valueAttachment={"title": "Scan", "url": "Binary/1"})
    part = observation("2", component=[{"code": {"text": "Side"}, "valueAttachment": {"contentType": "image/png"}}])
    forms = [{"title": "Letter", "contentType": "application/pdf", "data": packed(PDF)}, {}]
    whole = report(results=("1", "2"), presentedForm=forms, media=[{"comment": "Slide"}, {"link": {"display": "Left"}}])
    (found,) = assemble([whole, scan, part])
    told = [(each.title, each.holder, each.there) for each in found.papers]
    assert told == [
        ("Letter", "DiagnosticReport/r1", True),
        ("Document", "DiagnosticReport/r1", False),
        ("Slide", "DiagnosticReport/r1", False),
        ("Left", "DiagnosticReport/r1", False),
        ("Scan", "Observation/1", True),
        ("Document", "Observation/2", False),
    ]
    assert len({each.key for each in found.papers}) == 6


def papers(client):
    """The documents' addresses by name, from the pages of every report."""
    listed = page(client, "/results")
    shown = "".join(page(client, path) for path in dict.fromkeys(re.findall(r'href="(/results/[0-9a-f]{16})"', listed)))
    return {
        name: path
        for path, name in re.findall(r'href="(/results/documents/[0-9a-f]{16})" download>Download: ([^<]+)<', shown)
    }


@ONE
def test_documents_inside_a_report_and_beside_it_can_be_taken(world):
    _, client = world.person("priya-raman")
    found = papers(client)
    assert set(found) == {"ECG on paper", "Laboratory sheet"}
    for name, path in found.items():
        answer = client.get(path)
        assert (
            answer.status_code == 200 and answer.data.startswith(b"%PDF-") and answer.data.rstrip().endswith(b"%%EOF")
        )
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.pdf"'
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
    close()
    taken = session().query(AuditRow).filter_by(event="labs-downloaded").count()
    assert taken == 2
    close()
    world.sandbox.fault("down")
    answer = client.get(found["Laboratory sheet"])
    assert answer.status_code == 502 and "We could not get this document" in answer.get_data(as_text=True)
    assert client.get(found["ECG on paper"]).status_code == 200, "what is kept with the report needs nobody"


@ONE
def test_nobody_else_gets_them_and_a_refusal_of_results_takes_them_away(world):
    me, client = world.person("priya-raman")
    found = papers(client)
    _, other = world.person("kwame-mensah")
    for path in found.values():
        assert other.get(path).status_code == 404
    choose(me, results="no")
    close()
    for path in found.values():
        assert client.get(path).status_code == 404


@ONE
def test_a_time_series_is_a_picture_with_its_numbers(world):
    _, client = world.person("priya-raman")
    listed = page(client, "/results")
    path = next(
        each for each in re.findall(r'href="(/results/[0-9a-f]{16})"', listed) if "ECG, lead II" in page(client, each)
    )
    shown = page(client, path)
    assert 'class="pv-trend__line" points="' in shown and "style=" not in shown
    assert "2 measurements failed." in words(shown) and re.search(r"Lowest -0\.\d+, highest 0\.\d+", words(shown))
