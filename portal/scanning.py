"""A file is looked through for viruses by the clinic's own ClamAV (clamd, INSTREAM); what could not be is never called clean."""

import os
import socket
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from portal.errors import Misconfigured

VARIABLE = "PREVISIT_SCANNER"
PATIENCE = 20.0
"""Seconds for each step: somebody waits for the page."""
_PIECE, _LONGEST = 65_536, 4096
log = structlog.get_logger()


class Verdict(StrEnum):
    NOT_ASKED = "not-asked"
    """no scanner is set"""
    CLEAN = "clean"
    HARMFUL = "harmful"
    UNKNOWN = "unknown"
    """nobody answered, or not so that it could be understood: the file waits"""


def look(content: bytes) -> Verdict:
    """What the scanner says of `content`. Misconfigured when its address is none."""
    where = address()
    if where is None:
        return Verdict.NOT_ASKED
    try:
        told = _asked(where, content)
    except OSError as wrong:
        log.error("scanner not reached", kind=type(wrong).__name__)
        return Verdict.UNKNOWN
    verdict = Verdict.CLEAN if told == "stream: OK" else Verdict.HARMFUL if told.endswith(" FOUND") else Verdict.UNKNOWN
    if verdict is not Verdict.CLEAN:
        log.warning("scanner", verdict=verdict.value)
    return verdict


def address() -> str | tuple[str, int] | None:
    """A path, or host and port of this machine or the clinic's network; None when no scanner is set."""
    said = os.environ.get(VARIABLE, "").strip()
    if not said or said.startswith("/"):
        return str(Path(said)) if said else None
    parts = urlsplit(said)
    if parts.scheme != "tcp" or not parts.hostname or not parts.port or parts.path:
        raise Misconfigured(f"{VARIABLE} must be clamd's socket (/run/clamav/clamd.ctl) or tcp://127.0.0.1:3310.")
    return parts.hostname, parts.port


def _asked(where: str | tuple[str, int], content: bytes) -> str:
    with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as line:
        line.settimeout(PATIENCE)
        line.connect(where)
        line.sendall(b"zINSTREAM\0")
        for start in range(0, len(content), _PIECE):
            piece = content[start : start + _PIECE]
            line.sendall(len(piece).to_bytes(4, "big") + piece)
        line.sendall(bytes(4))
        return _answer(line)


def _answer(line: socket.socket) -> str:
    """What it says up to the end of its line; "" for less or more than one."""
    told = b""
    while not told.endswith(b"\0") and len(told) < _LONGEST and (more := line.recv(_LONGEST)):
        told += more
    return told[:-1].decode("utf-8", "replace") if told.endswith(b"\0") and told.count(b"\0") == 1 else ""
