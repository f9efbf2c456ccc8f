"""A file handed over: to keep, never to open here. What a person or another system put in it runs nowhere on this site."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

from flask import Response

from portal.fhir.letters import normal

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/tiff": "tif",
    "image/webp": "webp",
    "text/plain": "txt",
    "application/fhir+json": "json",
    "application/fhir+ndjson": "ndjson",
    "application/json": "json",
    "text/csv": "csv",
}
"""What a file may be called by the kind it is; anything else is handed over as bytes."""
DOCUMENTS = frozenset({"doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "txt", "csv", "dcm"})
"""Endings that a file of bytes keeps: a program for documents opens them. Any other would be run, or drawn as a page, by a click."""
BYTES = "application/octet-stream"


def handed_over(content: bytes | str, kind: str, name: str) -> Response:
    """The answer that makes a browser save `content` under `name` with the ending of its kind."""
    known = kind if kind in ENDINGS else BYTES
    made = Response(content, content_type=f"{known}; charset=utf-8" if isinstance(content, str) else known)
    made.headers.set("Content-Disposition", "attachment", filename=called(name, known))
    made.headers["Content-Security-Policy"] = SANDBOX
    return made


def called(name: str, kind: str) -> str:
    """A name that says what it is and nothing else: one line, no folder, no second ending hidden by the direction of writing."""
    bare = "".join(letter for letter in normal("NFC", name) if unicodedata.category(letter)[0] != "C")
    bare = re.sub(r'[\\/:*?"<>|]+', "-", bare).strip(" .-")[:120] or "file"
    stem, dot, ending = bare.rpartition(".")
    if kind in ENDINGS:
        return f"{stem if dot and stem and ending.isalnum() else bare}.{ENDINGS[kind]}"
    return bare if dot and stem and ending.lower() in DOCUMENTS else f"{bare}.bin"


_FORMULA = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV (RFC 4180). A text that a table program would work out as a formula begins with an apostrophe (bar 58)."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return made.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
