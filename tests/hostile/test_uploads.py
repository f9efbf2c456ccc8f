"""Files that patients give: known by their bytes, pictures drawn anew, nothing opened on our pages, and large ones refused early."""

from __future__ import annotations

import json
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from portal import db
from portal.downloads import ENDINGS, called
from portal.fhir.media import BYTES, KNOWN, kind_of
from portal.intake import files, pictures
from tests import make
from tests.house.reading import Page

FORM = {
    "resourceType": "Questionnaire",
    "url": "https://forms.example.org/card",
    "version": "1",
    "name": "Card",
    "title": "Your card",
    "status": "active",
    "item": [{"linkId": "card", "type": "attachment", "text": "A picture of your card", "repeats": True}],
}
SECRET = b"KESTREL"
MODES = ("1", "L", "P", "PA", "LA", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr")


def drawn(kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 20), **more: Any) -> bytes:
    made = BytesIO()
    Image.new(mode, size).save(made, pictures.FORMATS[kind], **more)
    return made.getvalue()


def photograph(kind: str) -> bytes:
    """With the place, the device and the owner in it, lying on its side."""
    notes = Image.Exif()
    notes[0x010F], notes[0x013B], notes[0x0112] = SECRET.decode(), SECRET.decode(), 6
    notes.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 1.0), 29: SECRET.decode()})
    return drawn(kind, exif=notes) if kind in {"image/jpeg", "image/png", "image/webp", "image/tiff"} else drawn(kind)


def png(width: int, height: int, told: tuple[int, int] | None = None) -> bytes:
    """A black picture of few bytes; `told` is the size that it claims."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + width)) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", *(told or (width, height)), 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    chunks = (struct.pack(">I", len(b)) + name + b + struct.pack(">I", zlib.crc32(name + b)) for name, b in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def held(content: bytes, claimed: str = "", name: str = "card") -> dict[str, str]:
    return files.attachment(FileStorage(BytesIO(content), filename=name, content_type=claimed))


@pytest.mark.parametrize("kind", sorted(pictures.FORMATS))
def test_a_picture_is_kept_without_what_a_camera_writes_beside_it(kind: str) -> None:
    given = photograph(kind) + SECRET
    assert SECRET in given
    made = pictures.redrawn(given, kind)
    assert made and SECRET not in made and kind_of(made) == kind
    with Image.open(BytesIO(made)) as picture:
        assert not picture.getexif().get_ifd(0x8825) and not set(picture.getexif()) & {0x010F, 0x013B, 0x0112}
        turned = kind in {"image/jpeg", "image/png", "image/webp"}
        assert picture.size == ((20, 40) if turned else picture.size)


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_colour_can_be_drawn_anew(mode: str) -> None:
    made = 0
    for kind in pictures.FORMATS:
        try:
            given = drawn(kind, mode)
        except (OSError, ValueError):
            continue
        assert pictures.redrawn(given, kind), kind
        made += 1
    assert made


def test_the_pages_of_a_scan_stay_together_and_are_counted() -> None:
    pages = [Image.new("L", (30, 40)) for _ in range(pictures.MOST_SHEETS + 1)]
    for many in (3, pictures.MOST_SHEETS, pictures.MOST_SHEETS + 1):
        scan = BytesIO()
        pages[0].save(scan, "TIFF", save_all=True, append_images=pages[1:many])
        made = pictures.redrawn(scan.getvalue(), "image/tiff")
        assert (made is None) == (many > pictures.MOST_SHEETS)
        assert made is None or getattr(Image.open(BytesIO(made)), "n_frames", 1) == many


def test_a_large_photograph_is_made_smaller_and_still_read() -> None:
    made = pictures.redrawn(drawn("image/jpeg", size=(6000, 5000)), "image/jpeg")
    assert made and max(Image.open(BytesIO(made)).size) == pictures.LONGEST_SIDE


BOMBS = {
    "told to be 60,000 × 60,000": png(10, 10, (60_000, 60_000)),
    "told to be 2^31 wide": png(10, 10, (2**31 - 1, 1)),
    "really 20 million pixels in 20 KB": png(5_000, 4_000),
    "no pixels": png(10, 10, (0, 0)),
    "cut off": photograph("image/jpeg")[:-30],
    "only a beginning": b"\xff\xd8\xff",
    "a header and noise": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
    "a GIF of one byte": b"GIF89a\xff",
    "a TIFF that points at itself": b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00",
    "a WEBP without a picture": b"RIFF\x10\x00\x00\x00WEBPVP8 \x00\x00\x00\x00",
    "HEIC, which cannot be drawn anew": b"\x00\x00\x00\x18ftypheic" + bytes(40),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_is_none_or_too_much_is_refused_at_once(name: str) -> None:
    began = time.process_time()
    made = held(BOMBS[name], "image/png")
    assert made == {"title": made["title"], "problem": "file-picture"}, "its name, and nothing of what is in it"
    assert time.process_time() - began < 0.3


CLOSED = {
    "zip": b"PK\x03\x04" + bytes(26) + b"../../etc/passwd",
    "gzip": b"\x1f\x8b\x08" + bytes(40),
    "bzip2": b"BZh91AY" + bytes(40),
    "xz": b"\xfd7zXZ\x00" + bytes(40),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
    "rar": b"Rar!\x1a\x07\x00" + bytes(40),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(40),
    "tar": bytes(257) + b"ustar\x00" + bytes(250),
    "Windows program": b"MZ" + bytes(100),
    "Linux program": b"\x7fELF" + bytes(100),
    "script": b"#!/bin/sh\nrm -rf ~",
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("claimed", ["application/pdf", "image/png", "text/plain", ""])
def test_archives_and_programs_are_refused_whatever_they_claim_to_be(name: str, claimed: str) -> None:
    assert held(CLOSED[name], claimed, "card.pdf") == {"title": "card.pdf", "problem": "file-closed"}


def test_an_office_document_is_no_archive() -> None:
    assert held(b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml" + bytes(60))["contentType"] == BYTES


LIVELY = {
    "HTML": (b"<script>pvx()</script>", "text/html", "card.html"),
    "HTML told to be a picture": (b"<script>pvx()</script>", "image/png", "card.png"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='pvx()'/>", "image/svg+xml", "card.svg"),
    "XML with a sheet": (b"<?xml version='1.0'?><?xml-stylesheet href='x.xsl'?><a/>", "text/xml", "card.xml"),
    "XHTML": (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "application/xhtml+xml", "card.xhtml"),
    "script": (b"alert(1)", "text/javascript", "card.js"),
    "MHTML": (b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>", "message/rfc822", "card.mht"),
    "PDF and HTML at once": (b"%PDF-1.4\n<script>pvx()</script>", "text/html", "card.html"),
    "GIF and script at once": (b"GIF89a=1;pvx()//", "text/javascript", "card.js"),
    "JPEG and zip at once": (drawn("image/jpeg") + b"PK\x03\x04pvx", "application/zip", "card.zip"),
}


@pytest.fixture
def giver(app: Flask, sign_in: Callable[..., FlaskClient]) -> Iterator[tuple[FlaskClient, str]]:
    """A patient at a form that asks for files."""
    clinic = make.clinic(forms=())
    make.ask(clinic.id, json.dumps(FORM).encode(), "card.json")
    patient = make.patient(clinic)
    make.patient_account(patient)
    start = f"/visits/{make.visit(patient).id}/forms/card"
    db.close()
    client = sign_in("ana@example.org")
    yield client, client.get(start).location
    db.close()


def give(giver: tuple[FlaskClient, str], content: bytes, kind: str, name: str) -> TestResponse:
    client, path = giver
    [sheet] = [each for each in Page(client.get(path).get_data(as_text=True)).posts() if "shown" in dict(each.fields)]
    [box] = [name for name in sheet.typed if not name.endswith("-remove")]
    kept = [(key, value) for key, value in sheet.fields if key not in (box, "step")]
    data = {**dict(kept), "step": "update", box: (BytesIO(content), name, kind)}
    return client.post(path, data=data, content_type="multipart/form-data")


def links(giver: tuple[FlaskClient, str]) -> list[str]:
    page = Page(giver[0].get(giver[1]).get_data(as_text=True))
    return [held["href"] for tag, held in page.elements if tag == "a" and "/files/" in held.get("href", "")]


def test_whatever_is_given_comes_back_as_a_file_to_keep_that_runs_nowhere(giver: tuple[FlaskClient, str]) -> None:
    kept = 0
    for name, (content, kind, title) in LIVELY.items():
        answer = give(giver, content, kind, title)
        assert answer.status_code in {303, 422}, name
        kept += answer.status_code == 303
    assert len(links(giver)) == kept >= 6
    for link in links(giver):
        back = giver[0].get(link)
        assert back.headers["Content-Disposition"].startswith("attachment;"), link
        assert "sandbox" in back.headers["Content-Security-Policy"] and "default-src 'none'" in str(back.headers)
        assert back.headers["X-Content-Type-Options"] == "nosniff" and back.headers["Cache-Control"] == "no-store"
        assert back.mimetype in {BYTES, *KNOWN} and (back.mimetype not in pictures.FORMATS or b"pvx" not in back.data)
        assert back.headers["Content-Disposition"].rsplit(".", 1)[1].strip('"') in {"bin", *ENDINGS.values()}


def test_a_photograph_from_a_telephone_can_be_given_and_is_seen_again(giver: tuple[FlaskClient, str]) -> None:
    """Larger than any typed text may be."""
    noise = BytesIO()
    Image.effect_noise((1800, 1500), 90).convert("RGB").save(noise, "JPEG", quality=95)
    assert len(noise.getvalue()) > 1_000_000
    assert give(giver, noise.getvalue(), "image/jpeg", "Karte (1).JPG").status_code == 303
    [link] = links(giver)
    back = giver[0].get(link)
    assert (back.status_code, back.mimetype) == (200, "image/jpeg") and len(back.data) > 300_000
    assert 'filename="Karte (1).jpg"' in back.headers["Content-Disposition"]


def test_files_have_a_quota_together_and_what_was_there_stays(giver: tuple[FlaskClient, str]) -> None:
    piece, answers = b"%PDF-1.4\n" + bytes(5_000_000), []
    for number in range(4):
        answers.append(give(giver, piece + bytes([number]), "application/pdf", f"{number}.pdf"))
    assert [answer.status_code for answer in answers] == [303, 303, 422, 422]
    assert "too large together" in answers[-1].get_data(as_text=True) and len(links(giver)) == 2


NAMES = (
    "../../etc/passwd",
    "..\\..\\x.exe",
    'a".html; x="',
    "a\r\nSet-Cookie: x=1",
    "\u202egnp.exe",
    "a\x00.png.exe",
    "con:aux|nul?.hta",
    " . ",
    "",
    "é" * 400,
    "card.png.lnk",
    "invoice.pdf.js",
)


@pytest.mark.parametrize("kind", [*sorted(ENDINGS), BYTES])
def test_a_name_says_what_the_file_is_and_nothing_else(kind: str) -> None:
    for name in NAMES:
        made = called(name, kind)
        assert made.isprintable() and not set(made) & set('/\\:*?"<>|') and 0 < len(made) < 130, name
        assert made.endswith(f".{ENDINGS.get(kind, 'bin')}") and not made.startswith("."), name
