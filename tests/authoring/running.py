"""Runs a command in this process and keeps what it said; writes what it is given to files of its own."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import simplejson

from portal.cli import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out, parse_float=Decimal)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line, parse_float=Decimal) for line in self.out.splitlines()]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [issue for issue in self.json["issue"] if issue["severity"] in ("error", "fatal")]


def portal(*words: object) -> Ran:
    """`portal words…`"""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    return Ran(code, out.getvalue(), err.getvalue())


def questionnaire(*words: object) -> Ran:
    return portal("questionnaire", *words)


class Desk:
    """A folder for one case."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, value: Any) -> Path:
        """A JSON file with exact decimals; a str is written as it is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else simplejson.dumps(value, use_decimal=True), "utf-8")
        return path


@contextmanager
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder:
        yield Desk(Path(folder))
