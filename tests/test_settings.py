"""Settings: every way of being half-configured or insecure stops the start with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal import sealing, settings
from portal.errors import Misconfigured


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    sealing.create(tmp_path / "keys.json")
    return {
        "PREVISIT_INSTANCE": str(tmp_path),
        "PREVISIT_BASE_URL": "https://intake.example.org",
        "PREVISIT_CONSENT_DEFAULT": "deny",
    }


def test_a_whole_configuration_is_read(environ: dict[str, str]) -> None:
    found = settings.read({**environ, "PREVISIT_STAFF_IDLE_MINUTES": "5"})
    assert found.secure and found.trusted_hosts == ("intake.example.org",)
    assert found.staff_idle_minutes == 5 and found.consent_default == "deny"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PREVISIT_BASE_URL", "", "is not set"),
        ("PREVISIT_BASE_URL", "intake.example.org", "not an address"),
        ("PREVISIT_BASE_URL", "https://intake.example.org/portal", "not an address"),
        ("PREVISIT_BASE_URL", "http://intake.example.org", "must start with https"),
        ("PREVISIT_CONSENT_DEFAULT", "", "must be chosen"),
        ("PREVISIT_CONSENT_DEFAULT", "permit-everything", "must be chosen"),
        ("PREVISIT_STAFF_IDLE_MINUTES", "a while", "whole number"),
        ("PREVISIT_STAFF_IDLE_MINUTES", "-1", "whole number"),
        ("PREVISIT_PATIENT_SECOND_FACTOR", "yes", "offered or required"),
        ("PREVISIT_ENGINE", "celery", "must be one of own, procrastinate"),
        ("PREVISIT_ENGINE", "procrastinate", "needs PostgreSQL"),
        ("PREVISIT_KEYS", "/nowhere/keys.json", "missing"),
    ],
)
def test_a_setting_that_cannot_stand_is_named(environ: dict[str, str], variable: str, value: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        settings.read({**environ, variable: value})


def test_outside_the_demo_nothing_dangerous_has_a_default(environ: dict[str, str]) -> None:
    for variable in ("PREVISIT_BASE_URL", "PREVISIT_CONSENT_DEFAULT"):
        with pytest.raises(Misconfigured):
            settings.read({name: value for name, value in environ.items() if name != variable})


@pytest.mark.parametrize(
    "address", ["http://tx.example.org", "tx.example.org/r4", "https://u:p@tx.example.org", "https://x/?a=1"]
)
def test_a_terminology_server_is_named_by_a_plain_https_address(environ: dict[str, str], address: str) -> None:
    assert (
        settings.read({**environ, "PREVISIT_TERMINOLOGY": "https://tx.example.org/r4/"}).terminology
        == "https://tx.example.org/r4"
    )
    with pytest.raises(Misconfigured, match="PREVISIT_TERMINOLOGY"):
        settings.read({**environ, "PREVISIT_TERMINOLOGY": address})


@pytest.mark.parametrize(
    ("address", "environment", "starts"),
    [
        ("postgresql+psycopg://u@db.example.org/p", {}, False),
        ("postgresql+psycopg://u@db.example.org/p?sslmode=require", {}, False),
        ("postgresql+psycopg://u@db.example.org/p?sslmode=prefer", {"PGSSLMODE": "verify-full"}, False),
        ("postgresql+psycopg://u@/p?host=db.example.org", {}, False),
        ("postgresql+psycopg://u@db.example.org/p?sslmode=verify-full", {}, True),
        ("postgresql+psycopg://u@db.example.org/p", {"PGSSLMODE": "verify-ca"}, True),
        ("postgresql+psycopg://u@127.0.0.1:5433/p", {}, True),
        ("postgresql+psycopg://u@/p?host=/run/postgresql", {}, True),
        ("postgresql+psycopg:///p", {}, True),
        ("sqlite:////srv/previsit.db", {}, True),
    ],
)
@pytest.mark.parametrize("variable", ["PREVISIT_DATABASE", "PREVISIT_OWNER_DATABASE"])
def test_the_line_to_a_database_elsewhere_is_encrypted_and_checked_or_nothing_starts(
    environ: dict[str, str], variable: str, address: str, environment: dict[str, str], starts: bool
) -> None:
    given = {**environ, **environment, variable: address}
    if starts:
        assert settings.read(given)
    else:
        with pytest.raises(Misconfigured, match="sslmode=verify-full"):
            settings.read(given)
