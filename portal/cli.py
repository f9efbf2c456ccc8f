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
    "demo-reset": ("throw the demo's data away", "portal.demo:reset"),
    "serve": ("serve the portal's pages", "portal.serving:run"),
    "worker": ("deliver what was accepted, and look at the clinics' appointments", "portal.working:run"),
    "keys": ("make the key file, once", "portal.administering:keys"),
    "migrate": ("bring the database up to date", "portal.administering:migrate"),
    "sync": ("look at the clinics' appointments now", "portal.administering:sync"),
    "clinic": ("add a clinic", "portal.administering:clinic"),
    "staff": ("add a member of staff; asks for the password", "portal.administering:staff"),
    "connection": ("register a clinic's FHIR server; prints our public keys", "portal.administering:connection"),
    "rotate-keys": (
        "make new signing keys for a clinic's connections; the old ones count until they are old",
        "portal.administering:rotate_keys",
    ),
    "after-restore": (
        "after restoring a backup: look at the clinic before sending anything",
        "portal.administering:after_restore",
    ),
    "audit-verify": ("check that the audit trail is whole", "portal.administering:audit_verify"),
    "questionnaire": (
        "for authors: check, validate, populate, extract, assemble, score",
        "portal.authoring.command:questionnaire",
    ),
    "fhirpath": ("what an expression gives for a resource, as JSON", "portal.authoring.command:fhirpath"),
    "match": ("compare pairs of people, one JSON line a pair", "portal.administering:match"),
    "sandbox": ("run the synthetic clinic by itself", "portal.sandbox.server:main"),
}
OWN_WORDS = ("sandbox", "questionnaire", "fhirpath")
"""Verbs that read their words themselves."""
OPTIONS: dict[str, tuple[tuple[str, dict[str, object]], ...]] = {
    "demo": (("--fault", {"help": "start with the clinic's server broken: down, slow, flaky …"}),),
    "migrate": (("--quiet", {"action": "store_true"}),),
    "clinic": tuple((f"--{name}", {"required": True}) for name in ("slug", "name", "timezone", "language", "phone")),
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
    "rotate-keys": (("--clinic", {"required": True, "help": "the clinic's slug"}),),
    "match": (("file", {"metavar": "FILE"}),),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when it worked, 1 with a sentence when it could not, 2 for a command that makes no sense."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] and words[0] in OWN_WORDS:
        return int(_run(words[0], words[1:]))
    arguments = _parser().parse_args(words)
    try:
        return int(_run(arguments.verb, arguments) or 0)
    except PortalError as problem:
        print(problem.sentence, file=sys.stderr)
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
