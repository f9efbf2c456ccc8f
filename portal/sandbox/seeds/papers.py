"""Documents of the sandbox clinic: a letter as a PDF of one page, written here, and the strip of a heart's rhythm as numbers."""

from __future__ import annotations

import hashlib
import math
from base64 import b64encode

from portal.sandbox.seeds.pieces import UCUM, Resource


def pdf(*lines: str) -> bytes:
    """A page of plain lines in the smallest PDF that every reader opens."""
    text = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    stream = f"BT /F1 11 Tf 15 TL 60 760 Td {text}ET".encode("latin-1")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    body, places = b"%PDF-1.4\n", []
    for number, held in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, held)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def form(content: bytes, title: str, when: str, url: str | None = None) -> Resource:
    """The Attachment of a document: inside it, or at an address."""
    printed = hashlib.sha1(content, usedforsecurity=False).digest()
    where = {"url": url} if url else {"data": b64encode(content).decode()}
    return {
        "contentType": "application/pdf",
        **where,
        "size": len(content),
        "hash": b64encode(printed).decode(),
        "title": title,
        "creation": when,
    }


def binary(own: str, content: bytes, patient: Resource) -> Resource:
    data = b64encode(content).decode()
    kind = {"contentType": "application/pdf", "securityContext": patient}
    return {"resourceType": "Binary", "id": own, **kind, "data": data}


def rhythm() -> Resource:
    """Four seconds of a made-up heart's rhythm, a sample each 10 ms, with two that failed."""
    samples = [str(round(800 * _beat(number * 10 % 860))) for number in range(400)]
    samples[251] = samples[252] = "E"
    return {
        "origin": {"value": 0, "unit": "mV", "system": UCUM, "code": "mV"},
        "period": 10,
        "factor": 0.001,
        "dimensions": 1,
        "data": " ".join(samples),
    }


def _beat(at: int) -> float:
    """P, QRS and T as five bells over one beat of 860 ms."""
    bells = ((160, 28, 0.12), (232, 9, -0.14), (250, 11, 1.1), (270, 10, -0.25), (420, 45, 0.3))
    return sum(high * math.exp(-((at - middle) ** 2) / (2 * wide**2)) for middle, wide, high in bells)
