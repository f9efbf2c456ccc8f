"""Documents of a report or a result: what they are called, whether they are there whole, and what may be handed over. Pure."""

import hashlib
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from portal.fhir.media import BYTES, kind_of
from portal.labs.plain import text_of
from portal.labs.times import When, when
from portal.labs.words import _

TEXT = "text/plain"
WRITTEN = frozenset({TEXT, "text/csv"})
PAGES = frozenset({"text/html", "application/xhtml+xml"})
OFFICE = {
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/dicom": "dcm",
}
"""Kinds that go as bytes, with an ending by which a program for documents knows them."""

NAMES = {
    "application/pdf": _("PDF"),
    "image/png": _("picture"),
    "image/jpeg": _("picture"),
    "image/gif": _("picture"),
    "image/tiff": _("picture"),
    "image/webp": _("picture"),
    TEXT: _("text"),
    "text/html": _("text"),
    "application/xhtml+xml": _("text"),
    "application/rtf": _("text"),
    "text/rtf": _("text"),
}
MOST_INSIDE = 20 * 1024 * 1024


class Damaged(ValueError):
    """It is not what its own resource says it is."""


@dataclass(frozen=True)
class Document:
    """One attachment. `key` tells it from every other of the patient; `holder` is the resource it stands in (`Type/id`)."""

    key: str
    holder: str
    title: str
    claimed: str = ""
    size: int | None = None
    at: When | None = None
    url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def inside(self) -> bool:
        return isinstance(self.raw.get("data"), str) and bool(self.raw["data"].strip())

    @property
    def there(self) -> bool:
        """Whether there is anything to ask for; whether it can be had is known when somebody does."""
        return self.inside or bool(self.url)

    @property
    def name(self) -> str:
        """What kind of thing it is, as a word (a msgid)."""
        return NAMES.get(self.claimed, "")

    @property
    def kilobytes(self) -> int | None:
        return None if self.size is None else max(1, round(self.size / 1000))


def document_of(attachment: Mapping[str, Any], key: str, holder: str) -> Document:
    claimed = str(attachment.get("contentType") or "").partition(";")[0].strip().lower()
    url, data = attachment.get("url"), attachment.get("data")
    stated = _count(attachment.get("size"))
    return Document(
        key,
        holder,
        str(attachment.get("title") or "").strip() or _("Document"),
        claimed,
        stated if stated is not None or not isinstance(data, str) else len(data.strip()) * 3 // 4,
        when(attachment.get("creation")),
        url if isinstance(url, str) else "",
        attachment,
    )


def unpacked(document: Document) -> bytes:
    """The content that stands in the resource itself. Raises Damaged for what is no base64, or far too much of it."""
    data = str(document.raw.get("data", ""))
    if len(data) > MOST_INSIDE * 4 // 3 + 4:
        raise Damaged("too large")
    try:
        return b64decode("".join(data.split()), validate=True)
    except (Error, ValueError) as wrong:
        raise Damaged("no base64") from wrong


def proved(document: Document, content: bytes) -> bytes:
    """The content, when it is as long as the resource says and has the fingerprint that it says (FHIR's is SHA-1)."""
    stated, printed = _count(document.raw.get("size")), document.raw.get("hash")
    if not content or (stated is not None and stated != len(content)):
        raise Damaged("another length")
    if isinstance(printed, str) and printed.strip() and not _same_print(printed.strip(), content):
        raise Damaged("another fingerprint")
    return content


def _same_print(printed: str, content: bytes) -> bool:
    """As base64 of the digest, as FHIR wants it, or as its hexadecimal, as some servers send it (also in base64)."""
    found = hashlib.sha1(content, usedforsecurity=False)
    try:
        given = b64decode(printed, validate=True)
    except (Error, ValueError):
        given = b""
    return given in (found.digest(), found.hexdigest().encode()) or printed.lower() == found.hexdigest()


def handed(content: bytes, claimed: str, title: str) -> tuple[bytes | str, str, str]:
    """Content, kind and name to hand over: the kind its first bytes tell, whatever was claimed.

    A page of HTML is handed over as the plain text of it: it could do things when it is opened. XML goes as bytes.
    """
    told = kind_of(content)
    if told != BYTES:
        return content, told, title
    if claimed in WRITTEN | PAGES and (text := _decoded(content)) is not None:
        page = claimed in PAGES or text.lstrip("\ufeff \t\r\n")[:1] == "<"
        return (text_of(text), TEXT, title) if page else (text, claimed, title)
    ending = OFFICE.get(claimed)
    return content, BYTES, f"{title}.{ending}" if ending and not title.lower().endswith(f".{ending}") else title


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None


def _count(held: Any) -> int | None:
    """A whole number that is not negative, also where a server sends it as text or with a fraction of nought."""
    if isinstance(held, bool) or not isinstance(held, int | Decimal | str):
        return None
    text = str(held)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None
