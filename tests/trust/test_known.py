"""What is known about the packages is told as it was answered: what nobody answered about is never called clean."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from portal.keeping import known

CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
WEAK = {
    "name": "jinja2",
    "version": "2.4",
    "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"], "aliases": [], "description": ""}],
}
SKIPPED = {"name": "alembic", "skip_reason": "Dependency not found and could not be audited: alembic (1.20.1)"}


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ([CLEAN], 0, "1 packages asked about, 0 known weaknesses"),
        ([CLEAN, WEAK], 1, "jinja2 2.4: PYSEC-2019-217, mended in 2.10.1"),
        ([CLEAN, SKIPPED], 2, "nobody answered about 1: alembic"),
        ([SKIPPED, WEAK], 1, "PYSEC-2019-217"),
        ([], 2, "0 packages asked about"),
    ],
)
def test_what_the_auditor_says_is_counted(said: list[Any], code: int, words: str) -> None:
    found = known.of_python({"dependencies": said})
    assert found.code == code and words in str(found)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"vulnerabilities": {}}, 0),
        ({"vulnerabilities": {"lodash": {"severity": "high"}}}, 1),
        ({"error": {"summary": ""}, "message": "405 Method Not Allowed"}, 2),
        ({}, 2),
    ],
)
def test_what_npm_says_is_counted(said: Any, code: int) -> None:
    assert known.of_node(said, 3).code == code


@pytest.mark.parametrize("say", ["print('no JSON')", "import sys; sys.exit(3)", "print('[]')"])
def test_an_auditor_that_does_not_answer_finds_nothing_clean(say: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert known._ask("Python", [sys.executable, "-c", say], lambda said: known.of_python(dict(said))).code == 2
    assert "nobody answered" in capsys.readouterr().out or say == "print('[]')"


def test_a_weakness_counts_more_than_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([known.Known(silent=["x"]), known.Known(1, ["weak"])])
    monkeypatch.setattr(known, "_auditor", lambda: ["nothing"])
    monkeypatch.setattr(known, "_ask", lambda *_: next(answers))
    assert known.main() == 1
    assert len(json.loads(known.NODE.read_text())["packages"]) > 1
