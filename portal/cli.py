"""The `portal` command: one line a verb; each loads only the rooms it needs."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from portal.actors import STAFF
from portal.errors import PortalError

# verb: (what it does, where it is)
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("start everything on this machine, with a synthetic clinic", "portal.demo:run"),
    "demo-code": ("what the authenticator app of one of the demo's people shows now", "portal.demo:code"),
    "demo-reset": ("throw the demo's data away", "portal.demo:reset"),
    "serve": ("serve the portal's pages", "portal.serving:run"),
    "worker": ("deliver what was accepted, and look at the clinics' appointments", "portal.working:run"),
    "keys": (
        "make the key file, once; or turn the master key over (rotate), or forget old ones",
        "portal.keeping.keys:run",
    ),
    "settings": (
        "every setting, what it is here and what it is for; says what is wrong",
        "portal.administering:list_settings",
    ),
    "migrate": ("bring the database up to date", "portal.administering:migrate"),
    "sync": ("look at the clinics' appointments now", "portal.administering:sync"),
    "clinic": ("add a clinic", "portal.administering:clinic"),
    "proxy-age": ("say from which age a clinic's patients answer for themselves", "portal.administering:proxy_age"),
    "staff": (
        "add a member of staff; asks for the password (or reads it from standard input)",
        "portal.administering:staff",
    ),
    "connection": ("register a clinic's FHIR server; prints our public keys", "portal.administering:connection"),
    "rotate-keys": (
        "make new signing keys for a clinic's connections; the old ones count until they are old",
        "portal.administering:rotate_keys",
    ),
    "after-restore": (
        "after restoring a backup: look at the clinic before sending anything",
        "portal.administering:after_restore",
    ),
    "audit": ("the audit trail: verify, export, sign its ends", "portal.keeping.trail:main"),
    "check-outside": (
        "look at the portal's own address as a stranger does: TLS, certificate, redirect, headers, names",
        "portal.keeping.outside:run",
    ),
    "erase": ("erase a patient: their key, then everything about them", "portal.keeping.erasing:run"),
    "backup": ("write an encrypted copy of the database", "portal.keeping.backup:run"),
    "backup-key": ("make the key pair that backups are encrypted to", "portal.keeping.backup:make_key"),
    "restore": ("bring a backup back, and check what came", "portal.keeping.restore:run"),
    "questionnaire": (
        "for authors: check, validate, populate, extract, assemble, score",
        "portal.authoring.command:questionnaire",
    ),
    "fhirpath": ("what an expression gives for a resource, as JSON", "portal.authoring.command:fhirpath"),
    "match": ("compare pairs of people, one JSON line a pair", "portal.administering:match"),
    "sandbox": ("run the synthetic clinic by itself", "portal.sandbox.server:main"),
}
OWN_WORDS = ("sandbox", "questionnaire", "fhirpath", "audit")
"""Verbs that read their words themselves."""
OPTIONS: dict[str, tuple[tuple[str, dict[str, object]], ...]] = {
    "demo": (("--fault", {"help": "start with the clinic's server broken: down, slow, flaky …"}),),
    "demo-code": (("email", {"metavar": "EMAIL"}),),
    "migrate": (("--quiet", {"action": "store_true"}),),
    "clinic": tuple((f"--{name}", {"required": True}) for name in ("slug", "name", "timezone", "language", "phone")),
    "proxy-age": (
        ("--clinic", {"required": True, "help": "the clinic's slug"}),
        ("--years", {"required": True, "type": int}),
    ),
    "staff": (
        ("--clinic", {"required": True, "help": "the clinic's slug"}),
        ("--role", {"required": True, "choices": sorted(role.value for role in STAFF)}),
        ("--name", {"required": True}),
        ("--email", {"required": True}),
    ),
    "connection": (
        ("--clinic", {"required": True, "help": "the clinic's slug"}),
        ("--name", {"required": True}),
        ("--base-url", {"required": True}),
        ("--client-id", {"required": True}),
    ),
    "keys": (("step", {"nargs": "?", "choices": ["rotate", "forget"]}),),
    "check-outside": (
        ("address", {"metavar": "ADDRESS", "nargs": "?", "help": "https://… (else PREVISIT_BASE_URL)"}),
        ("--ca", {"metavar": "FILE", "help": "certificates to believe besides the system's"}),
        ("--plain-port", {"type": int, "default": 80, "help": "where somebody without TLS would come (80)"}),
    ),
    "erase": (
        ("patient", {"metavar": "PATIENT", "help": "their id here"}),
        ("--reason", {"required": True, "help": "why, for the audit trail; no health data"}),
        ("--even-unfinished", {"action": "store_true", "help": "even if accepted answers were not sent yet"}),
    ),
    "backup": (("file", {"metavar": "FILE"}), ("--to", {"help": "the public key (else PREVISIT_BACKUP_KEY)"})),
    "backup-key": (("file", {"metavar": "FILE", "help": "where the private key goes: not this machine, in the end"}),),
    "restore": (
        ("file", {"metavar": "FILE"}),
        ("--key", {"required": True, "help": "the private key of the backup"}),
        ("--replace", {"action": "store_true", "help": "although there is a database already; it is set aside"}),
    ),
    "rotate-keys": (("--clinic", {"required": True, "help": "the clinic's slug"}),),
    "match": (("files", {"metavar": "FILE", "nargs": "+"}),),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when it worked, 1 with a sentence when it could not, 2 for a command that makes no sense."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] and words[0] in OWN_WORDS:
            return int(_run(words[0], words[1:]))
        arguments = _parser().parse_args(words)
        return int(_run(arguments.verb, arguments) or 0)
    except PortalError as problem:
        print(problem.sentence, file=sys.stderr)
        return 1
    except OSError as problem:  # a full disk, a file of somebody else's
        if problem.filename is None and problem.strerror is None:
            raise
        print(f"{problem.strerror}{f': {problem.filename}' if problem.filename else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _run(verb: str, arguments: object) -> int:
    module, _, function = VERBS[verb][1].partition(":")
    code: int = getattr(import_module(module), function)(arguments)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("portal", description="Previsit: a pre-visit intake patient portal.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (text, _) in VERBS.items():
        made = verbs.add_parser(verb, help=text, description=text)
        for name, more in OPTIONS.get(verb, ()):
            made.add_argument(name, **more)  # type: ignore[arg-type]
    return parser


if __name__ == "__main__":
    sys.exit(main())
