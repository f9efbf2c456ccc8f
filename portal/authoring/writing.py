"""What a command says: JSON in UTF-8 on standard output, sentences on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from portal.fhir import exact
from portal.questionnaire import Trouble

# Characters that JSON allows as they are and some readers take for the end of a line: one value stays one line.
LINE_ENDS = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}


def line(value: Any) -> None:
    """One JSON value on a line of its own: decimals as they were given, text in UTF-8 whatever the terminal says."""
    text = exact.dumps(value).translate(LINE_ENDS) + "\n"
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    raw.write(text.encode("utf-8", "replace"))
    raw.flush()


def sentence(text: object) -> None:
    print(" ".join(str(text).split()).encode("utf-8", "replace").decode(), file=sys.stderr)


def troubles(found: Iterable[Trouble]) -> bool:
    """Each thing that could not be worked out, as a sentence; whether there was any."""
    told = list(dict.fromkeys(found))
    for trouble in told:
        sentence(f"{trouble.link_id or 'form'}: {trouble.what}: {trouble.reason}")
    return bool(told)
