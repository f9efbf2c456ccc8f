"""Every setting there is: its name in the environment, what holds without it, its bounds, and what it is for (`portal settings`)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from portal.errors import Misconfigured

PREFIX = "PREVISIT_"
NEAR = 0.88
"""How like a setting's name another name may be before it is taken for a slip; others in the environment are not ours."""


@dataclass(frozen=True)
class Variable:
    """`default` as people would type it, or in words what holds; a number has its `bounds`, both included."""

    name: str
    default: str
    what: str
    bounds: tuple[int, int] | None = None


def _v(name: str, default: str, what: str, least: int | None = None, most: int = 0) -> Variable:
    return Variable(PREFIX + name, default, what, None if least is None else (least, most))


VARIABLES = (
    _v("BASE_URL", "none, required", "the address people use; https anywhere but on the machine itself"),
    _v(
        "CONSENT_DEFAULT",
        "none, required",
        "what holds for a patient who never chose: basic-normal (clinicians, for treatment) or deny",
    ),
    _v("INSTANCE", "instance/", "the folder of data and keys"),
    _v(
        "DATABASE",
        "SQLite in PREVISIT_INSTANCE",
        "or postgresql+psycopg://…; on another machine with ?sslmode=verify-full, else nothing starts",
    ),
    _v(
        "OWNER_DATABASE",
        "PREVISIT_DATABASE",
        "PostgreSQL by the role that owns the tables, for migrations, keys and backups; PREVISIT_DATABASE is then a role that can "
        "change neither the trail nor the row-level walls between clinics",
    ),
    _v("KEYS", "keys.json in PREVISIT_INSTANCE", "the key file; it must be readable by its owner only"),
    _v("KEYS_COMMAND", "none", "a command that gives the keys from a vault, in place of the key file"),
    _v("BIND", "127.0.0.1:8000", "where the pages are served"),
    _v("PROCESSES", "1", "by how many processes of 8 threads", 1, 64),
    _v("TRUSTED_HOSTS", "the host of PREVISIT_BASE_URL", "host names that are answered to, with commas between them"),
    _v(
        "PROXY_HOPS", "0", "how many proxies in front are believed when they say who asks; 1 behind one TLS proxy", 0, 9
    ),
    _v(
        "MAIL",
        "none",
        "where messages to patients go: smtps://name:password@host or smtp+starttls://host:587; without it none are sent",
    ),
    _v("MAIL_FROM", "none", "the address that messages come from; required with PREVISIT_MAIL"),
    _v("QUIET_HOURS", "21-8", "the hours of the clinic's day in which no message is sent that can wait; 0-0 for none"),
    _v("INVITATION_DAYS", "14", "how long an invitation can be used", 1, 90),
    _v("STAFF_IDLE_MINUTES", "15", "when a staff session ends by itself", 1, 720),
    _v("PATIENT_IDLE_MINUTES", "30", "when a patient's session ends by itself", 1, 720),
    _v("ABSOLUTE_HOURS", "12", "when any session ends, used or not", 1, 24),
    _v("STAFF_SECOND_FACTOR", "required", "off is taken in the demo only, and is the demo's default"),
    _v(
        "PATIENT_SECOND_FACTOR",
        "offered",
        "or required: patients, and who answers for them, set one up before anything else",
    ),
    _v(
        "STAFF_SIGN_IN_MEANS", "none", "words of acr or amr, of which the clinic's own sign-in has to say one for staff"
    ),
    _v("BREACHED_PASSWORDS", "none", "a file of passwords known from breaches, which nobody may choose"),
    _v(
        "PROOF_MINUTES",
        "10",
        "how fresh the proof must be that it is still the same person, for what matters: ways to sign in, staff, connections, "
        "emergency access, the download of results",
        1,
        60,
    ),
    _v("FRESH_MINUTES", "15", "how old a reading of the record may be before it is read again", 0, 10_080),
    _v(
        "FORMS",
        "none",
        "a folder of Questionnaires and ValueSets for every clinic's library, read at each start; the log names what is refused",
    ),
    _v(
        "TERMINOLOGY",
        "the clinic's own server",
        "the https address of a FHIR terminology server that expands value sets; read again every week",
    ),
    _v(
        "ATTENTION",
        "ours",
        "a folder of rules for answers that cannot wait, <clinic slug>.json each; one that cannot be used stops the start",
    ),
    _v("SCANNER", "none", "the address of the clinic's ClamAV, which looks through files from patients"),
    _v("MAX_REQUEST_BYTES", "12582912", "bounds a request; 4 MB of it may be typed", 1_000_000, 100_000_000),
    _v(
        "ENGINE",
        "own",
        'or procrastinate (PostgreSQL, pip install "previsit[cluster]"): many workers on many machines; the outbox stays the truth',
    ),
    _v(
        "PROCESSING_BOUND_SECONDS",
        "120",
        "how long the clinic's server may still be busy with a request whose answer was lost",
        1,
        3600,
    ),
    _v(
        "LOG_COLLECTOR",
        "none",
        "where log lines and the trail also go: syslog+tls://host:6514, with ?ca=FILE for an authority of your own",
    ),
    _v("AUDIT_KEY", "audit-key.pem in PREVISIT_INSTANCE", "the key that signs the trail's ends"),
    _v("AUDIT_HEADS", "audit-heads.ndjson in PREVISIT_INSTANCE", "the file that signed ends go to; keep it elsewhere"),
    _v("BACKUP_KEY", "none", "the public key that backups are encrypted to (portal backup-key makes the pair)"),
    _v("DEMO", "0", "1 is set by portal demo: synthetic people only"),
    _v("DEMO_PAST", "48", "how many visits of the past the demo makes; 0 for none"),
    _v("PORT", "8000", "the demo's port"),
    _v("CLINIC_PORT", "8200", "the port of the demo's clinic"),
)
NAMED = {each.name: each for each in VARIABLES}


def check_names(environ: Mapping[str, str]) -> None:
    """A name that is nearly a setting's is a slip, and would be overlooked in silence. Misconfigured names both."""
    for name in environ:
        meant = get_close_matches(name, NAMED, 1, NEAR) if name.startswith(PREFIX) and name not in NAMED else []
        if meant:
            raise Misconfigured(f"{name} is not a setting. Did you mean {meant[0]}? `portal settings` lists them all.")


def number(environ: Mapping[str, str], name: str) -> int:
    """A whole number within its bounds. Misconfigured names the variable."""
    known = NAMED[name]
    text = environ.get(name, known.default)
    least, most = known.bounds or (0, 999_999_999)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Misconfigured(f"{name} must be a whole number, not {text!r}.")
    if not least <= int(text) <= most:
        raise Misconfigured(f"{name} must be from {least} to {most}, not {text}.")
    return int(text)


def bind(environ: Mapping[str, str]) -> tuple[str, int]:
    """Where the pages are served: host and port. Misconfigured when it is no such thing."""
    text = environ.get("PREVISIT_BIND", NAMED["PREVISIT_BIND"].default)
    found = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})", text)
    if not found or not 0 < int(found[2]) < 65536:
        raise Misconfigured(f"PREVISIT_BIND must be an address and a port, like 127.0.0.1:8000, not {text!r}.")
    return found[1].strip("[]"), int(found[2])


def told(environ: Mapping[str, str]) -> Iterator[tuple[Variable, str]]:
    """Each, with what is set here; passwords in addresses are left out."""
    for each in VARIABLES:
        yield each, _without_password(environ.get(each.name, ""))


def _without_password(text: str) -> str:
    secret = urlsplit(text).password if "://" in text else None
    return text.replace(f":{secret}@", ":…@") if secret else text
