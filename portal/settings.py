"""Every setting, read once from the environment; refuses to start half-configured or insecure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from portal import sealing, variables
from portal.errors import Misconfigured
from portal.sealing import KeyRing

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONSENT_DEFAULTS = frozenset({"basic-normal", "deny"})
LANGUAGES = ("en", "es")
ENGINES = frozenset({"own", "procrastinate"})


@dataclass(frozen=True)
class Settings:
    """All of it. Durations in minutes or hours as named; `consent_default` is one of IHE PCF's policies."""

    instance: Path
    database: str
    base_url: str
    keys: KeyRing
    demo: bool
    trusted_hosts: tuple[str, ...]
    consent_default: str
    languages: tuple[str, ...] = LANGUAGES
    staff_idle_minutes: int = 15
    patient_idle_minutes: int = 30
    absolute_hours: int = 12
    invitation_days: int = 14
    fresh_minutes: int = 15
    max_request_bytes: int = 12 * 1024 * 1024
    proxy_hops: int = 0
    proof_minutes: int = 10
    """how fresh the proof must be that it is still the same person, for what guard.FRESH names"""
    staff_second_factor: str = "required"
    """required, or off in the demo: whether staff have to set up a second factor before anything else"""
    patient_second_factor: str = "offered"
    """offered, or required: whether patients and who answers for them have to set one up too"""
    processing_bound_seconds: int = 120
    forms: Path | None = None
    """a folder of Questionnaires and ValueSets that every clinic's library is given at each start"""
    attention: Path | None = None
    """a folder of rules for urgent answers, one JSON file a clinic, named by its slug; without one ours hold"""
    terminology: str = ""
    """the address of a FHIR terminology server that expands value sets; empty: the clinic's own server is asked"""
    owner_database: str = ""
    """the database by the role that owns the tables (PostgreSQL): for migrations, keys, backups; empty: the same role"""
    engine: str = "own"
    """what wakes the workers: a look at the outbox each second (own), or procrastinate on PostgreSQL, for many machines"""

    mail: str = ""
    """where messages to patients go: smtps://, smtp+starttls://, smtp:// on this machine, "folder" in the demo; empty: none"""
    mail_from: str = ""
    log_collector: str = ""
    """where log lines and the trail also go: syslog+tls://host:6514, with ?ca=FILE for an authority of the clinic's own; empty: nowhere"""
    quiet_hours: tuple[int, int] = (21, 8)
    """the hours of the clinic's day in which no message is sent that can wait"""

    @property
    def staff_need_two(self) -> bool:
        return self.staff_second_factor == "required"

    @property
    def patients_need_two(self) -> bool:
        return self.patient_second_factor == "required"

    @property
    def owned(self) -> str:
        """The database as its owner reaches it."""
        return self.owner_database or self.database

    @property
    def secure(self) -> bool:
        return self.base_url.startswith("https://")


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises Misconfigured with a sentence that names the variable and what to do."""
    variables.check_names(environ)
    instance = instance_path(environ)
    demo = environ.get("PREVISIT_DEMO") == "1"
    base_url = environ.get("PREVISIT_BASE_URL", "http://localhost:8000" if demo else "").rstrip("/")
    _check_base_url(base_url)
    host = urlsplit(base_url).hostname or ""
    found = Settings(
        instance=instance,
        database=database_at(environ),
        base_url=base_url,
        keys=key_ring(environ),
        demo=demo,
        trusted_hosts=_words(environ.get("PREVISIT_TRUSTED_HOSTS", "")) or (host,),
        consent_default=_consent_default(environ, demo),
        forms=_folder(environ, "PREVISIT_FORMS"),
        attention=_folder(environ, "PREVISIT_ATTENTION"),
        terminology=_terminology(environ.get("PREVISIT_TERMINOLOGY", "").strip().rstrip("/")),
        log_collector=_collector(environ.get("PREVISIT_LOG_COLLECTOR", "").strip()),
        owner_database=environ.get("PREVISIT_OWNER_DATABASE", ""),
        engine=environ.get("PREVISIT_ENGINE", "own"),
        patient_second_factor=_patients_second_factor(environ.get("PREVISIT_PATIENT_SECOND_FACTOR", "offered")),
        staff_second_factor=_second_factor(
            environ.get("PREVISIT_STAFF_SECOND_FACTOR", "off" if demo else "required"), demo
        ),
    )
    found = replace(found, **_mail(environ, demo, host))
    numbers: dict[str, Any] = {
        name: variables.number(environ, f"PREVISIT_{name.upper()}")
        for name in _NUMBERS
        if f"PREVISIT_{name.upper()}" in environ
    }
    _check_engine(found.engine, found.database)
    for line in (found.database, found.owner_database):
        _check_line(line, environ)
    return replace(found, **numbers)


def instance_path(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("PREVISIT_INSTANCE", ROOT / "instance")).resolve()


def keys_path(environ: Mapping[str, str] = os.environ) -> Path:
    return Path(environ.get("PREVISIT_KEYS", instance_path(environ) / "keys.json"))


def database_at(environ: Mapping[str, str] = os.environ) -> str:
    return environ.get("PREVISIT_DATABASE", f"sqlite:///{instance_path(environ) / 'previsit.db'}")


def keys_command(environ: Mapping[str, str] = os.environ) -> str:
    """The command that gives the keys from the clinic's vault, in place of a key file; "" when there is none."""
    return environ.get("PREVISIT_KEYS_COMMAND", "").strip()


def key_ring(environ: Mapping[str, str] = os.environ) -> KeyRing:
    command = keys_command(environ)
    if command and "PREVISIT_KEYS" in environ:
        raise Misconfigured(
            "PREVISIT_KEYS and PREVISIT_KEYS_COMMAND are both set. The keys come from one place: leave one out."
        )
    return sealing.ask(sealing.Command(command)) if command else sealing.load(keys_path(environ))


def staff_sign_in_means(environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Words of acr or amr of which the clinic's own sign-in has to say one, for staff; empty: it is trusted as it is."""
    return frozenset(environ.get("PREVISIT_STAFF_SIGN_IN_MEANS", "").split())


def audit_key_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The key that signs the ends of the audit trail; never in the database."""
    return Path(environ.get("PREVISIT_AUDIT_KEY", instance_path(environ) / "audit-key.pem"))


def audit_heads_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The file that signed ends are appended to; best on another machine or medium."""
    return Path(environ.get("PREVISIT_AUDIT_HEADS", instance_path(environ) / "audit-heads.ndjson"))


_NUMBERS = (
    "staff_idle_minutes",
    "patient_idle_minutes",
    "absolute_hours",
    "invitation_days",
    "fresh_minutes",
    "max_request_bytes",
    "proxy_hops",
    "proof_minutes",
    "processing_bound_seconds",
)


def _check_base_url(base_url: str) -> None:
    parts = urlsplit(base_url)
    if not base_url:
        raise Misconfigured(
            "PREVISIT_BASE_URL is not set. Give the address people use, for example https://intake.example.org"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise Misconfigured(f"PREVISIT_BASE_URL is not an address: {base_url!r}. Use https://host or https://host:port")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Misconfigured("PREVISIT_BASE_URL must start with https:// anywhere but on this machine itself.")


def _terminology(base: str) -> str:
    parts = urlsplit(base)
    usual = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if base and (not usual or not parts.hostname or parts.username or parts.query or parts.fragment):
        raise Misconfigured(
            "PREVISIT_TERMINOLOGY must be the https address of a FHIR terminology server, for example "
            "https://tx.example.org/r4, or be left out: then the clinic's own server is asked."
        )
    return base


def _collector(address: str) -> str:
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query))
    if address and (parts.scheme != "syslog+tls" or not parts.hostname or parts.path or set(asked) - {"ca"}):
        raise Misconfigured(
            "PREVISIT_LOG_COLLECTOR must be the address of a syslog server that takes TLS, for example "
            "syslog+tls://logs.example.org:6514, with ?ca=FILE if its certificate is of an authority of your own."
        )
    if "ca" in asked and not Path(asked["ca"]).is_file():
        raise Misconfigured(f"The file of PREVISIT_LOG_COLLECTOR's authority is not there: {asked['ca']}")
    return address


def _mail(environ: Mapping[str, str], demo: bool, host: str) -> dict[str, Any]:
    """Where messages go and when not. Misconfigured names the variable."""
    address, sender = environ.get("PREVISIT_MAIL", "folder" if demo else ""), environ.get("PREVISIT_MAIL_FROM", "")
    parts = urlsplit(address)
    known = parts.scheme in {"smtps", "smtp+starttls"} or (parts.scheme == "smtp" and parts.hostname in LOOPBACK)
    if address not in {"", "folder"} and not (known and parts.hostname):
        raise Misconfigured(
            "PREVISIT_MAIL must be the address of a mail server, for example smtps://name:password@mail.example.org "
            "or smtp+starttls://mail.example.org:587. Without encryption only a server on this machine is used."
        )
    if address not in {"", "folder"} and "@" not in sender:
        raise Misconfigured(
            "PREVISIT_MAIL_FROM is not set. Give the address messages come from, for example visits@example.org"
        )
    hours = environ.get("PREVISIT_QUIET_HOURS", "21-8").split("-")
    if len(hours) != 2 or not all(each.isascii() and each.isdigit() and int(each) < 24 for each in hours):
        raise Misconfigured("PREVISIT_QUIET_HOURS must be two hours of the day, for example 21-8 (0-0 for none).")
    quiet = (int(hours[0]), int(hours[1]))
    return {"mail": address, "mail_from": sender or f"previsit@{host or 'localhost'}", "quiet_hours": quiet}


def _consent_default(environ: Mapping[str, str], demo: bool) -> str:
    chosen = environ.get("PREVISIT_CONSENT_DEFAULT", "basic-normal" if demo else "")
    if chosen not in CONSENT_DEFAULTS:
        options = " or ".join(sorted(CONSENT_DEFAULTS))
        raise Misconfigured(
            f"PREVISIT_CONSENT_DEFAULT must be chosen: {options}. It decides what holds when a patient has not chosen."
        )
    return chosen


def _patients_second_factor(chosen: str) -> str:
    if chosen in {"offered", "required"}:
        return chosen
    raise Misconfigured(f"PREVISIT_PATIENT_SECOND_FACTOR must be offered or required, not {chosen!r}.")


def _check_line(database: str, environ: Mapping[str, str]) -> None:
    """A database is of a kind we know; one on another machine is reached over TLS with its certificate checked."""
    parts = urlsplit(database)
    if database and parts.scheme not in {"sqlite", "postgresql+psycopg"}:
        raise Misconfigured(
            "PREVISIT_DATABASE must be sqlite:////folder/file.db or postgresql+psycopg://name:password@host/database."
        )
    asked = dict(parse_qsl(parts.query))
    host = asked.get("host") or parts.hostname or ""
    here = not host or host.startswith("/") or host in LOOPBACK
    checked = (asked.get("sslmode") or environ.get("PGSSLMODE")) in {"verify-full", "verify-ca"}
    if parts.scheme.startswith("postgresql") and not here and not checked:
        raise Misconfigured(
            f"The database on {host} is reached over a network. Add ?sslmode=verify-full to its address, so that the "
            "line is encrypted and the certificate checked."
        )


def _second_factor(chosen: str, demo: bool) -> str:
    if chosen == "required" or (chosen == "off" and demo):
        return chosen
    raise Misconfigured(
        "PREVISIT_STAFF_SECOND_FACTOR can be off in the demo only. Leave it out: staff are led to set one up when they sign in."
    )


def _check_engine(engine: str, database: str) -> None:
    if engine not in ENGINES:
        raise Misconfigured(f"PREVISIT_ENGINE must be one of {', '.join(sorted(ENGINES))}, not {engine!r}.")
    if engine == "procrastinate" and not database.startswith("postgresql"):
        raise Misconfigured(
            "PREVISIT_ENGINE=procrastinate needs PostgreSQL, and PREVISIT_DATABASE is another database. "
            "Give the address of a PostgreSQL database, or leave PREVISIT_ENGINE out: one machine needs no engine."
        )


def _folder(environ: Mapping[str, str], variable: str) -> Path | None:
    """A folder that is there, or none named."""
    given = environ.get(variable)
    if given and not Path(given).is_dir():
        raise Misconfigured(f"{variable} is not a folder: {given}")
    return Path(given).resolve() if given else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
