"""The `portal` command: demo · serve · worker · sync · keys · migrate · clinic · staff · connection · audit · questionnaire · match · sandbox."""

import argparse
import sys
from collections.abc import Callable, Sequence
from getpass import getpass

from portal import db, demo, sealing, serving, settings
from portal.accounts import service as accounts
from portal.actors import STAFF, Role, system
from portal.audit import service as audit
from portal.ehr import service as ehr
from portal.errors import PortalError
from portal.fhir import exact
from portal.intake import service as intake
from portal.questionnaire import FormRefused, load
from portal.review import match_command
from portal.sandbox import server as sandbox
from portal.sandbox.faults import MODES

Arguments = argparse.Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with a sentence when it could not, 2 for a command that makes no sense."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["sandbox"]:
        return sandbox.main(words[1:])
    arguments = _parser().parse_args(words)
    try:
        code: int = arguments.run(arguments) or 0
        return code
    except PortalError as problem:
        print(problem.sentence, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        db.dispose()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("portal", description="Previsit: a pre-visit intake patient portal.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Arguments], int | None], text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        return made

    one = command(
        "demo", lambda a: demo.run(fault=a.fault), "start everything on this machine, with a synthetic clinic"
    )
    one.add_argument("--fault", choices=MODES, help="start with the clinic's server broken in this way")
    command("demo-reset", lambda a: demo.reset(), "throw the demo's data away")
    command("serve", lambda a: serving.serve(), "serve the portal's pages")
    command("worker", lambda a: serving.work(), "deliver what was accepted, and look at the clinic's appointments")
    command("keys", lambda a: _keys(), "make the key file, once")
    command("migrate", lambda a: _migrate(), "bring the database up to date")
    command("sync", _sync, "look at the clinics' appointments now")
    one = command("clinic", _clinic, "add a clinic")
    for option in ("slug", "name", "timezone", "language", "phone"):
        one.add_argument(f"--{option}", required=True)
    one = command("staff", _staff, "add a member of staff; asks for the password")
    one.add_argument("--clinic", required=True, help="the clinic's slug")
    one.add_argument("--role", required=True, choices=sorted(role.value for role in STAFF))
    one.add_argument("--name", required=True)
    one.add_argument("--email", required=True)
    one = command("connection", _connection, "register a clinic's FHIR server and print our public keys for it")
    one.add_argument("--clinic", required=True, help="the clinic's slug")
    one.add_argument("--name", required=True)
    one.add_argument("--base-url", required=True)
    one.add_argument("--client-id", required=True)
    command("audit-verify", lambda a: _audit_verify(), "check that the audit trail is whole")
    one = command(
        "questionnaire", _questionnaire, "say of each form whether it can be used, and what of it is not honoured"
    )
    one.add_argument("files", nargs="+", metavar="FILE")
    one = command("match", lambda a: match_command.main(a.file), "compare pairs of people, one JSON line a pair")
    one.add_argument("file", metavar="FILE")
    return parser


def _open() -> settings.Settings:
    config = settings.read()
    db.connect(config.database, config.keys)
    db.migrate()
    accounts.check_key_ring()
    return config


def _keys() -> None:
    path = settings.keys_path()
    if path.exists():
        raise PortalError(f"{path} is there already and is left as it is.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealing.create(path)
    print(f"Made {path}. Keep a copy apart from the database: without it nothing stored can be read.")


def _migrate() -> None:
    _open()
    print("The database is up to date.")


def _sync(arguments: Arguments) -> None:
    _open()
    for clinic in accounts.clinics():
        found = intake.synchronise(system(clinic.id))
        print(f"{clinic.name}: {found.seen} appointments, {len(found.new)} new. {found.reason or ''}")


def _clinic(arguments: Arguments) -> None:
    _open()
    accounts.add_clinic(arguments.slug, arguments.name, arguments.timezone, arguments.language, arguments.phone)
    print(f"Added. Its sign-in page is /at/{arguments.slug}/sign-in")


def _clinic_id(slug: str) -> str:
    found = next((each.id for each in accounts.clinics() if each.slug == slug), None)
    if found is None:
        known = ", ".join(each.slug for each in accounts.clinics()) or "none yet"
        raise PortalError(f"There is no clinic {slug!r} here. Known: {known}.")
    return found


def _staff(arguments: Arguments) -> int:
    _open()
    clinic_id = _clinic_id(arguments.clinic)
    password = getpass("Password (at least 15 characters): ")
    issues = accounts.password_issues(password, (arguments.name, arguments.email))
    if issues:
        print(issues[0].text(), file=sys.stderr)
        return 1
    accounts.add_staff(clinic_id, Role(arguments.role), arguments.name, arguments.email, password)
    print("Added.")
    return 0


def _connection(arguments: Arguments) -> int:
    _open()
    actor = system(_clinic_id(arguments.clinic))
    wanted = {"name": arguments.name, "base_url": arguments.base_url, "client_id": arguments.client_id}
    issues = ehr.issues(**wanted)
    if issues:
        print("\n".join(issue.text() for issue in issues), file=sys.stderr)
        return 1
    made = ehr.register(actor, **wanted)
    print(exact.dumps(ehr.jwks(made.id)))
    return 0


def _audit_verify() -> int:
    _open()
    broken = {clinic.name: audit.verify(clinic.id) for clinic in accounts.clinics()}
    for name, seq in broken.items():
        print(f"{name}: {'whole' if seq is None else f'broken at entry {seq}'}")
    return 1 if any(seq is not None for seq in broken.values()) else 0


def _questionnaire(arguments: Arguments) -> int:
    refused = 0
    for name in arguments.files:
        try:
            with open(name, "rb") as file:
                form = load(exact.loads(file.read()))
        except (OSError, exact.UnreadableJson, FormRefused) as problem:
            refused += 1
            print(f"{name}: refused. {problem}")
            continue
        left_out = "; ".join(map(str, form.features.not_honoured)) or "nothing"
        print(f"{name}: {len(form.all_items)} items, {len(form.layout)} pages. Not honoured: {left_out}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
