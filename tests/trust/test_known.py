"""What is known about the packages is told as it was answered: what nobody answered about is never called clean."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.keeping import known
from portal.keeping.packages import PYTHON
from portal.settings import ROOT

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
    monkeypatch.setattr(known, "_worked_out", lambda _: None)
    assert known.main() == 1
    assert len(json.loads((ROOT / "package-lock.json").read_text())["packages"]) > 1


@pytest.mark.parametrize(("days", "code"), [(0, 0), (60, 0), (61, 1), (None, 2)])
def test_locks_that_are_older_than_promised_are_no_release(days: int | None, code: int) -> None:
    today = datetime(2026, 11, 22, tzinfo=UTC)
    at = None if days is None else today - timedelta(days=days)
    assert known.age(Path("requirements.lock"), at, today).code == code


def test_when_a_lock_was_worked_out_is_what_the_history_says(tmp_path: Path) -> None:
    assert known._worked_out(tmp_path / "requirements.lock") is None, "no history, no date"
    at = known._worked_out(PYTHON)
    assert at is None or datetime(2025, 1, 1, tzinfo=UTC) < at


def test_the_time_frames_are_the_ones_that_are_promised() -> None:
    promised = " ".join((ROOT / "SECURITY.md").read_text().split())
    assert "we fix within 7 days what is critical, 30 what is high, 90 what is left" in promised
    assert f"files of a release are no older than {known.UPDATED.days} days" in promised
