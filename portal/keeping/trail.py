"""`portal audit`: verify the trail, hand it out, sign its ends."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TextIO

from portal import settings
from portal.accounts import service as accounts
from portal.actors import Actor
from portal.audit import exporting, signing, telling, verifier
from portal.audit import service as audit
from portal.clock import now
from portal.errors import PortalError
from portal.fhir import exact
from portal.keeping import opening


def main(words: Sequence[str]) -> int:
    arguments = _parser().parse_args(list(words))
    return int(arguments.run(arguments) or 0)


def place() -> signing.Place:
    return signing.Place(settings.audit_key_path(), settings.audit_heads_path())


def verify(arguments: argparse.Namespace) -> int:
    """Every clinic's chain, and against the heads that were signed. 1 when something is broken."""
    opening.installation()
    heads = _signed(Path(arguments.heads) if arguments.heads else None)
    broken = {each.clinic_id: each for each in audit.breaks(heads)}
    names = {each.id: f"{each.name} ({each.slug}, {each.id})" for each in accounts.clinics()}
    nobodys = [clinic_id for clinic_id in broken if clinic_id not in names]
    for clinic_id in [*(each.clinic_id for each in opening.operators()), *nobodys]:
        found = broken.get(clinic_id)
        known = [head for head in heads if head["clinic_id"] == clinic_id]
        against = f"signed up to entry {known[-1]['seq']}" if known else "no signed head to compare with"
        state = f"broken at entry {found.seq}: {found.why}" if found else f"whole; {against}"
        print(f"{names.get(clinic_id, f'no clinic of this installation ({clinic_id})')}: {state}")
    return 1 if broken else 0


def _signed(path: Path | None) -> list[verifier.Row]:
    usual = place()
    try:
        return signing.heads(signing.Place(usual.key, path) if path else usual)
    except ValueError as wrong:
        raise PortalError(f"{str(wrong).capitalize()}. Keep them where nobody can write but you.") from wrong


def sign(arguments: argparse.Namespace) -> None:
    """Sign the heads that moved. The file belongs elsewhere; so does the public key."""
    opening.installation()
    found = place()
    lines = signing.sign(found)
    for each in lines:
        print(verifier.canonical(each).decode())
    print(
        f"{len(lines)} {'end' if len(lines) == 1 else 'ends'} signed into {found.heads}. Public key: {found.public}",
        file=sys.stderr,
    )


def export(arguments: argparse.Namespace) -> None:
    """AuditEvents of some days, or the bare chain of all days, of one clinic or of every one."""
    config = opening.installation()
    actors = opening.operators(arguments.clinic)
    if arguments.format == "bundle" and len(actors) > 1:
        raise PortalError("A Bundle is of one clinic. Say which: --clinic SLUG")
    first = arguments.day or arguments.first or now().date()
    last = arguments.day or arguments.last or first
    site = telling.Site(config.base_url)
    with open(arguments.out, "x", encoding="utf-8") if arguments.out else nullcontext(sys.stdout) as out:
        for actor in actors:
            _write(out, actor, site, arguments.format, first, last)


def _write(out: TextIO, actor: Actor, site: telling.Site, form: str, first: date, last: date) -> None:
    if form == "bundle":
        out.write(exact.dumps(exporting.bundle(exporting.events(actor, site, first, last))) + "\n")
        return
    found = exporting.bare(actor) if form == "chain" else exporting.events(actor, site, first, last)
    out.writelines(exporting.line(each) for each in found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("portal audit", description="The audit trail.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    made = verbs.add_parser("verify", help="check that the trail is whole")
    made.add_argument("--heads", help="signed heads kept elsewhere (else PREVISIT_AUDIT_HEADS)")
    made.set_defaults(run=verify)
    verbs.add_parser("sign", help="sign the ends of the trail, for a file kept elsewhere").set_defaults(run=sign)
    made = verbs.add_parser("export", help="FHIR AuditEvents (NDJSON or Bundle), or the bare chain for the verifier")
    made.add_argument("--clinic", help="the clinic's slug; else every clinic")
    made.add_argument("--format", choices=["ndjson", "bundle", "chain"], default="ndjson")
    for name, more in (("day", "day"), ("from", "first"), ("to", "last")):
        made.add_argument(f"--{name}", dest=more, type=date.fromisoformat, help="YYYY-MM-DD, in UTC; else today")
    made.add_argument("--out", help="a new file; else standard output")
    made.set_defaults(run=export)
    return parser
