"""Passwords known from breaches: each of the operator's file is refused and no other, wherever in the file it stands."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from portal.accounts import breached, passwords
from portal.errors import Misconfigured

KNOWN = [f"six wet stones number {number}" for number in range(400)]


def digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "breached.txt"
    breached._believed.cache_clear()
    monkeypatch.setenv(breached.VARIABLE, str(path))
    return path


@pytest.mark.parametrize("count", [1, 2, 3, 4, 400])
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_every_password_of_the_file_is_found_and_no_other(listed: Path, count: int, ending: str) -> None:
    chance = random.Random(count)
    lines = sorted(map(digest, KNOWN[:count]))
    lines = [line + chance.choice(["", ":1", f":{chance.randrange(10**9)}"]) for line in lines]
    listed.write_bytes((ending or "\n").join(lines).encode() + ending.encode())
    assert [each for each in KNOWN if breached.is_known(each)] == KNOWN[:count]
    assert not any(breached.is_known(f"{each}!") for each in KNOWN)


def test_a_breached_password_is_refused_with_words(listed: Path) -> None:
    listed.write_text(digest(KNOWN[0]).lower() + "\n")
    assert [issue.code for issue in passwords.issues(KNOWN[0])] == ["breached"]
    assert passwords.issues("another set of words altogether") == []


@pytest.mark.parametrize(
    "content", [None, "", "password\nsecret\n", f"{digest('b')}\n{digest('a')}\n", "A" * 39 + "\n"]
)
def test_a_file_that_is_no_such_list_is_said_to_be_none(listed: Path, content: str | None) -> None:
    if content is not None:
        lines = content.splitlines()
        listed.write_text("\n".join(sorted(lines, reverse=True)) + "\n" if len(lines) == 2 else content)
    with pytest.raises(Misconfigured, match=breached.VARIABLE):
        breached.is_known("anything at all")
