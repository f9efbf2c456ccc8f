"""Settings and first commands: one table holds every setting the code reads, and whatever is typed wrong is said in a sentence."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import socket
from pathlib import Path

import pytest

from portal import cli, engines, sealing, serving, settings, variables
from portal.errors import Misconfigured
from portal.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"\bPREVISIT_[A-Z_]+[A-Z]\b")
CLINIC = {
    "slug": "springfield",
    "name": "Springfield",
    "timezone": "America/Chicago",
    "language": "en",
    "phone": "+1 217 555 0100",
}


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new installation, as its engineer's shell has it."""
    sealing.create(tmp_path / "keys.json")
    for name in variables.NAMED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREVISIT_INSTANCE", str(tmp_path))
    monkeypatch.setenv("PREVISIT_BASE_URL", "https://intake.example.org")
    monkeypatch.setenv("PREVISIT_CONSENT_DEFAULT", "deny")
    return tmp_path


def test_every_setting_that_the_code_reads_is_in_the_table_and_the_other_way_round() -> None:
    files = [file for file in (ROOT / "portal").rglob("*.py") if file.name != "variables.py"]
    read = set().union(*(NAME.findall(file.read_text()) for file in files))
    numbers = {f"PREVISIT_{name.upper()}" for name in settings._NUMBERS}
    assert read | numbers == set(variables.NAMED)


def test_the_readme_names_no_setting_that_there_is_not() -> None:
    tests_only = {"PREVISIT_TEST_POSTGRES", "PREVISIT_PEERS"}
    said = NAME.findall((ROOT / "README.md").read_text() + (ROOT / "SECURITY.md").read_text())
    assert set(said) - tests_only <= set(variables.NAMED)


def test_the_defaults_that_are_told_are_those_that_hold() -> None:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    for name in settings._NUMBERS:
        known = variables.NAMED[f"PREVISIT_{name.upper()}"]
        assert known.default == str(defaults[name]), name
        assert known.bounds, name


@pytest.mark.parametrize("name", [each.name for each in variables.VARIABLES if each.bounds])
def test_a_number_outside_of_its_bounds_stops_the_start(name: str) -> None:
    least, most = variables.NAMED[name].bounds or (0, 0)
    assert (variables.number({name: str(least)}, name), variables.number({name: str(most)}, name)) == (least, most)
    for wrong in (str(least - 1), str(most + 1), "", "1.5", "١"):
        with pytest.raises(Misconfigured, match=name):
            variables.number({name: wrong}, name)


@pytest.mark.parametrize("name", sorted(variables.NAMED))
def test_a_slip_in_a_setting_s_name_is_not_overlooked(name: str) -> None:
    for slip in (name[:-1], name + "S", name.replace("PREVISIT_", "PREVISIT_X", 1)):
        if slip not in variables.NAMED and len(name) > 14:
            with pytest.raises(Misconfigured, match=slip):
                variables.check_names({slip: "1"})


def test_what_only_looks_like_ours_is_left_alone() -> None:
    variables.check_names(
        {"PREVISIT_PORT_8000_TCP_ADDR": "", "PREVISIT_TEST_POSTGRES": "", "PATH": "", "PREVISIT_X": ""}
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PREVISIT_DATABASE", "mysql://u@127.0.0.1/p"),
        ("PREVISIT_DATABASE", "postgresql://u@127.0.0.1/p"),
        ("PREVISIT_OWNER_DATABASE", "previsit.db"),
        ("PREVISIT_FORMS", "/nowhere"),
        ("PREVISIT_ATTENTION", "/nowhere"),
        ("PREVISIT_BIND", "8000"),
        ("PREVISIT_BIND", "127.0.0.1:99999"),
        ("PREVISIT_BIND", "127.0.0.1:http"),
        ("PREVISIT_PROXY_HOP", "1"),
        ("PREVISIT_STAFF_IDLE_MINUTES", "0"),
    ],
)
def test_portal_settings_says_what_is_wrong_before_anything_starts(
    environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    assert cli.main(["settings"]) == 0
    shown = capsys.readouterr().out
    assert all(each in shown for each in variables.NAMED)
    monkeypatch.setenv(name, value)
    assert cli.main(["settings"]) == 1
    assert name.removeprefix("PREVISIT_OWNER_").removeprefix("PREVISIT_") in capsys.readouterr().err


def test_no_password_is_shown(
    environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREVISIT_DATABASE", "postgresql+psycopg://u:hunter2@127.0.0.1/p")
    monkeypatch.setenv("PREVISIT_MAIL", "smtps://u:hunter2@mail.example.org")
    cli.main(["settings"])
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err


def test_pages_are_not_served_where_something_else_is() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Misconfigured, match="PREVISIT_BIND"):
            serving._free(*other.getsockname())


def clinic(**other: str) -> int:
    return cli.main(["clinic", *(part for key, text in {**CLINIC, **other}.items() for part in (f"--{key}", text))])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slug", "Spring field"),
        ("slug", ""),
        ("name", " "),
        ("timezone", "America/Chicag"),
        ("language", "xx"),
        ("phone", "none"),
    ],
)
def test_a_clinic_that_could_not_be_used_is_not_added(
    environ: Path, capsys: pytest.CaptureFixture[str], key: str, value: str
) -> None:
    assert clinic(**{key: value}) == 1
    assert f"--{key}" in capsys.readouterr().err


def test_what_is_there_already_is_said_and_staff_can_be_added_from_a_script(
    environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (clinic(), clinic()) == (0, 1)
    assert "already" in capsys.readouterr().err
    words = ["staff", "--clinic", "springfield", "--role", "administrator", "--name", "Jo Park", "--email"]
    for address, code in (("jo", 1), ("jo@example.org", 0), ("JO@example.org", 1)):
        monkeypatch.setattr("sys.stdin", io.StringIO("five plain words and a fish\n"))
        assert cli.main([*words, address]) == code
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["sqlite:////nowhere/previsit.db", "postgresql+psycopg://u@127.0.0.1:1/p"])
def test_a_database_that_cannot_be_opened_is_a_sentence(
    environ: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setenv("PREVISIT_DATABASE", address)
    assert cli.main(["migrate"]) == 1
    said = capsys.readouterr().err
    assert "PREVISIT_DATABASE" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("writable", "least", "advice"),
    [(False, 0, "mounted read-only"), (True, 10**18, "is full. Make room"), (True, 0, "is a database of Previsit")],
)
def test_a_file_that_cannot_be_opened_says_what_to_do(
    environ: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    writable: bool,
    least: int,
    advice: str,
) -> None:
    (environ / "previsit.db").mkdir()  # SQLite cannot open this, as it cannot on a full or read-only disk
    monkeypatch.setattr(engines, "LEAST_FREE", least)
    monkeypatch.setattr(os, "access", lambda *_: writable)
    assert cli.main(["migrate"]) == 1
    assert advice in capsys.readouterr().err


def test_a_lost_key_file_is_not_made_anew_beside_what_it_sealed(
    environ: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clinic() == 0
    (environ / "keys.json").rename(environ / "kept.json")
    assert cli.main(["keys"]) == 1
    assert "Restore the key file" in capsys.readouterr().err
    assert not (environ / "keys.json").exists()
    (environ / "kept.json").rename(environ / "keys.json")
    assert cli.main(["migrate"]) == 0
