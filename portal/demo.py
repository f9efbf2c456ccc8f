"""`portal demo`: the portal, the worker and a synthetic clinic on this machine, set up on the first start, stopped together."""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from portal import assets, db, sealing, settings
from portal.accounts import granting, proxy_links, totp
from portal.accounts import service as accounts
from portal.accounts.granting import Wanted
from portal.actors import Actor, Role, Scope, system
from portal.clock import now
from portal.ehr import registration
from portal.ehr import service as ehr
from portal.errors import Misconfigured
from portal.fhir import exact
from portal.intake import service as intake
from portal.library import service as library
from portal.sandbox.faults import MODES
from portal.sandbox.seeds import people

CLIENT_ID = "previsit"
CLINIC = "Springfield Family Clinic"
PASSWORD = "synthetic people only"
STAFF = (
    (Role.FRONT_DESK, "Sam Taylor", "desk@demo.example"),
    (Role.CLINICIAN, "Dr Lee", "clinician@demo.example"),
    (Role.ADMINISTRATOR, "Jo Park", "admin@demo.example"),
    (Role.PRIVACY_OFFICER, "Pat Quinn", "privacy@demo.example"),
)
WITH_ACCOUNT = {
    "kwame-mensah": "kwame@demo.example",
    "priya-raman": "priya@demo.example",
    "mei-chen": "mei@demo.example",
    "lucia-ortega": "lucia@demo.example",
}
INVITED = "ana-morales"
CHILD, MOTHER, FATHER = "noah-bennett", "grace-bennett", ("Tom Bennett", "1986-09-02", "tom@demo.example")
"""A child who is answered for: by the father, who has an account, and by the mother, who has a link and is in the record."""
NOT_LISTED: dict[str, str | None] = {
    "name": "Maria Garcia",
    "birthDate": "1990-03-04",
    "email": "maria@demo.example",
    "phone": None,
    "language": "en",
}
NEW_PATIENT = "New patient visit"
ASKED = {
    "health-history": library.Rule(order=10, from_age=18),
    "paediatric-intake": library.Rule(order=10, to_age=17),
    "medication-allergy-history": library.Rule(order=20, kinds=(NEW_PATIENT,)),
    "consent-to-treatment": library.Rule(order=30, kinds=(NEW_PATIENT,)),
    "phq-9": library.Rule(required=False, order=40, kinds=("Follow-up visit",), from_age=12),
    "gad-7": library.Rule(required=False, order=41, kinds=("Follow-up visit",), from_age=12),
    "audit-c": library.Rule(required=False, order=42, kinds=("General check-up",), from_age=18, months=12),
    "ahc-hrsn": library.Rule(required=False, order=43, kinds=("General check-up",), from_age=18, months=12),
}


@dataclass(frozen=True)
class Place:
    """Where the demo lives: its folder and two ports of this machine."""

    instance: Path
    portal_port: int
    clinic_port: int

    @property
    def portal_url(self) -> str:
        """By name: browsers bind a passkey to a name, never to a number."""
        return f"http://localhost:{self.portal_port}"

    @property
    def clinic_url(self) -> str:
        return f"http://127.0.0.1:{self.clinic_port}/fhir"

    @property
    def faults_url(self) -> str:
        return f"http://127.0.0.1:{self.clinic_port}/$fault"

    @property
    def jwks(self) -> Path:
        return self.instance / "client-jwks.json"

    @property
    def callback(self) -> Path:
        return self.instance / "client-callback.txt"

    @property
    def links(self) -> Path:
        return self.instance / "demo.json"


def run(arguments: argparse.Namespace) -> int:
    """Start all three, print where to go and as whom, and wait; Ctrl-C (or SIGTERM) ends them. Raises Misconfigured."""
    fault, place = arguments.fault, _place()
    if fault is not None and fault not in MODES:
        raise Misconfigured(f"--fault must be one of: {', '.join(MODES)}.")
    for port in (place.portal_port, place.clinic_port):
        _check_port(port)
    _prepare_folder(place)
    _build_assets()
    environ = _environment(place)
    _prepare_database(place, environ)
    processes = [_start(["sandbox", *_sandbox_options(place, fault)], environ)]
    try:
        _wait_for(f"{place.clinic_url}/metadata", processes, allow_errors=fault is not None)
        _seed(place)
        processes += [_start(["serve"], environ), _start(["worker"], environ)]
        _wait_for(f"{place.portal_url}/pulse", processes)
        _say(place, fault)
        _watch(processes)
    finally:
        db.dispose()
        _stop(processes)
    return 0


def reset(arguments: object = None) -> int:
    """Throw the demo's folder away; refuses while the demo runs."""
    place = _place()
    for port in (place.portal_port, place.clinic_port):
        _check_port(port)
    if place.instance.exists() and not (place.instance / "DEMO").exists():
        raise Misconfigured(f"{place.instance} was not made by the demo. It is left as it is.")
    shutil.rmtree(place.instance, ignore_errors=True)
    print("The demo's data is gone. `make demo` starts afresh.")
    return 0


def code(arguments: argparse.Namespace) -> int:
    """What the authenticator app of one of the demo's people would show now; nobody needs a telephone to try it."""
    place = _place()
    if not (place.instance / "DEMO").exists():
        raise Misconfigured(
            f"{place.instance} was not made by the demo. Codes are shown by the app of their owner only."
        )
    config = settings.read(_environment(place))
    db.connect(config.database, config.keys)
    shown = totp.shown(_clinic_id() or "", arguments.email)
    print(shown or "Nobody with this address has begun to set up an authenticator app.")
    return 0 if shown else 1


def _place() -> Place:
    instance = Path(os.environ.get("PREVISIT_INSTANCE", settings.ROOT / "instance")).resolve()
    return Place(instance, _port("PREVISIT_PORT", 8000), _port("PREVISIT_CLINIC_PORT", 8200))


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise Misconfigured(f"{variable} must be a port between 1024 and 65535, not {text!r}.")
    return int(text)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Misconfigured(
                f"Port {port} is in use, perhaps by a demo that still runs. Stop that, or choose other ports: "
                "PREVISIT_PORT=8001 PREVISIT_CLINIC_PORT=8201 make demo"
            )


def _prepare_folder(place: Place) -> None:
    """A folder that is ours and whole. A half-written one is named, never guessed at."""
    mark, keys, database = place.instance / "DEMO", place.instance / "keys.json", place.instance / "previsit.db"
    if place.instance.exists() and any(place.instance.iterdir()) and not mark.exists():
        raise Misconfigured(
            f"{place.instance} is not empty and not the demo's. Set PREVISIT_INSTANCE to another folder."
        )
    if database.exists() and not keys.exists():
        raise Misconfigured(f"{place.instance} holds a database without its key file. Run: make demo-reset")
    place.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    mark.touch()
    if not keys.exists():
        sealing.create(keys)


def _build_assets() -> None:
    try:
        assets.build(settings.ROOT)
    except assets.AssetsError as problem:
        raise Misconfigured(str(problem)) from problem


def _environment(place: Place) -> dict[str, str]:
    ours = {
        "PREVISIT_DEMO": "1",
        "PREVISIT_INSTANCE": str(place.instance),
        "PREVISIT_BASE_URL": place.portal_url,
        "PREVISIT_TRUSTED_HOSTS": "localhost,127.0.0.1",
        "PREVISIT_BIND": f"127.0.0.1:{place.portal_port}",
        "PREVISIT_PROCESSING_BOUND_SECONDS": "5",
        "PREVISIT_QUIET_HOURS": "0-0",
        "PREVISIT_STAFF_SECOND_FACTOR": os.environ.get("PREVISIT_STAFF_SECOND_FACTOR", "off"),
    }
    return {**os.environ, **ours}


def _prepare_database(place: Place, environ: dict[str, str]) -> None:
    config = settings.read(environ)
    db.connect(config.database, config.keys)
    db.migrate()
    accounts.check_key_ring()
    clinic_id = _clinic_id() or _add_clinic()
    connection = ehr.connection_for(clinic_id) or ehr.register(
        system(clinic_id), name="Springfield record system", base_url=place.clinic_url, client_id=CLIENT_ID
    )
    if registration.of(connection.id) is None:
        registration.register(
            system(clinic_id),
            connection.id,
            client_id=CLIENT_ID,
            method="private_key_jwt",
            for_patients=True,
            for_staff=True,
        )
    place.jwks.write_text(exact.dumps(ehr.jwks(connection.id)))
    place.callback.write_text(f"{place.portal_url}/launch/callback/{connection.id}")
    _ask_forms(system(clinic_id))


def _ask_forms(actor: Actor) -> None:
    """The forms that come along, asked before the visits they are for; what a person has decided since stays."""
    library.supply(actor)
    for kept in library.every(actor):
        if not kept.steps and kept.form.slug in ASKED:
            library.activate(actor, kept.newest.id, ASKED[kept.form.slug], carry=False)


def _clinic_id() -> str | None:
    return next((clinic.id for clinic in accounts.clinics()), None)


def _add_clinic() -> str:
    return accounts.add_clinic("springfield", CLINIC, "America/Chicago", "en", "+1 217 555 0100").id


def _sandbox_options(place: Place, fault: str | None) -> list[str]:
    options = ["--port", str(place.clinic_port), "--data", str(place.instance / "sandbox")]
    options += ["--client-id", CLIENT_ID, "--client-jwks", str(place.jwks)]
    options += ["--redirect-uri", place.callback.read_text(), "--launch-url", f"{place.portal_url}/launch"]
    return [*options, "--fault", fault] if fault else options


def _seed(place: Place) -> None:
    """Bring the clinic's appointments in and make the demo people's accounts; what is there already stays."""
    clinic_id = _clinic_id()
    assert clinic_id is not None  # _prepare_database has made one
    actor = system(clinic_id)
    found = intake.synchronise(actor)
    if found.reason:
        print(f"The clinic's appointments could not be read: {found.reason}")
    if place.links.exists():
        return
    if connection := ehr.connection_for(clinic_id):
        ehr.test(actor, connection.id)
    for role, name, email in STAFF:
        accounts.add_staff(clinic_id, role, name, email, PASSWORD)
    visits = intake.upcoming(actor, now() - timedelta(days=1), now() + timedelta(days=365))
    known = {row.fhir_id: row for row in accounts.patients(actor, {visit.patient_id for visit in visits}).values()}
    links = {}
    for fhir_id, email in WITH_ACCOUNT.items():
        if fhir_id in known:
            _join(actor, known[fhir_id].id, known[fhir_id].person["birthDate"], email)
    if INVITED in known:
        links[INVITED] = accounts.invite(actor, known[INVITED].id, 14)
    if CHILD in known:
        links[MOTHER] = _parents(actor, known[CHILD].id)
    walk_in = accounts.expect_patient(actor, None, None, NOT_LISTED)
    tomorrow = now() + timedelta(days=1)
    detail: dict[str, str | None] = {"what": NEW_PATIENT, "with": None, "where": None}
    intake.expect(actor, walk_in.id, intake.Expected(None, None, tomorrow, False, detail))
    _join(actor, walk_in.id, "1990-03-04", "maria@demo.example")
    place.links.write_text(exact.dumps(links))


def _parents(actor: Actor, child_id: str) -> str:
    """The father's account, and a link for the mother."""
    name, born, email = FATHER
    scope = tuple(Scope)
    wanted = Wanted(name, born, relation="parent", scope=scope, reason="Birth certificate and passport shown")
    token = granting.offer(actor, child_id, wanted, 1).token
    proxy_links.join(token, proxy_links.prove(token, born), email, PASSWORD, "en")
    mother = next(person for person in people() if person.id == MOTHER)
    wanted = Wanted(mother.name, mother.born, relation="parent", scope=scope, reference="RelatedPerson/grace-for-noah")
    return granting.offer(actor, child_id, wanted, 14).token


def _join(actor: Actor, patient_id: str, birth_date: str, email: str) -> None:
    token = accounts.invite(actor, patient_id, 1)
    accounts.join(token, accounts.prove(token, birth_date), email, PASSWORD, "en", ("en", "es"))


def _say(place: Place, fault: str | None) -> None:
    born = {person.id: person.born for person in people()}
    links = exact.loads(place.links.read_text()) if place.links.exists() else {}
    print(
        f"\n  Previsit, with a synthetic clinic. Everything runs on this machine.\n\n  The portal   {place.portal_url}"
    )
    print(f"  The clinic's server   {place.clinic_url}\n\n  Sign in (the password is: {PASSWORD})")
    for role, name, email in STAFF:
        print(f"    {email:26} {name}, {role.value}")
    if _environment(place)["PREVISIT_STAFF_SECOND_FACTOR"] == "required":
        print(
            "    Staff set up a second step first; `portal demo-code EMAIL` shows what an authenticator app would show."
        )
    sentences = {person.id: f"{person.name} {person.sentence}" for person in people()}
    for fhir_id, email in WITH_ACCOUNT.items():
        print(f"    {email:26} {sentences[fhir_id]}")
    print(
        f"    {NOT_LISTED['email']:26} Maria Garcia was invited by hand; the record has namesakes, so a person decides which is she."
    )
    print(f"    {FATHER[2]:26} {FATHER[0]} is no patient; he answers for his son Noah, who has a peanut allergy.")
    for fhir_id, token in links.items():
        if fhir_id == MOTHER:
            print(f"\n  A link for the mother, who is in the record: {sentences[fhir_id]}")
            print(f"    {place.portal_url}/answer/{token}\n    Born: {born[fhir_id]}")
            continue
        print(f"\n  An invitation as a patient gets it: {sentences[fhir_id]}")
        print(f"    {place.portal_url}/join/{token}\n    Date of birth: {born[fhir_id]}")
    print(
        f"\n  From the clinic's own system: {place.clinic_url.removesuffix('/fhir')}/ehr plays the record system that staff work in and"
        f"\n  opens Previsit for a patient; patients find “Sign in with Springfield record system” at {place.portal_url}/sign-in"
    )
    print(f"\n  What patients get by e-mail is read at {place.portal_url}/mailbox")
    if fault:
        print(f"\n  The clinic's server is broken on purpose: {fault}.")
    print(
        f'\n  Break or mend the clinic while you look (down, slow, flaky, none):\n    curl -d \'{{"mode": "down"}}\' '
        f"-H 'Content-Type: application/json' {place.faults_url}"
    )
    print("\n  Ctrl-C stops it all. A second start keeps the data; `make demo-reset` throws it away.\n", flush=True)


def _start(words: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "portal.cli", *words], env=environ, start_new_session=True)


def _wait_for(url: str, processes: list[subprocess.Popen[bytes]], *, allow_errors: bool = False) -> None:
    for _ in range(300):
        if any(process.poll() is not None for process in processes):
            raise Misconfigured("A part of the demo stopped while starting. The lines above say why.")
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - an address of our own making
                return
        except (URLError, OSError):
            if allow_errors and _:
                return
            time.sleep(0.1)
    raise Misconfigured(f"{url} did not answer within 30 seconds.")


def _watch(processes: list[subprocess.Popen[bytes]]) -> None:
    """Until Ctrl-C, SIGTERM, or one of them ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        print("A part of the demo has stopped; stopping the rest.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\n  Stopping.")


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes):
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(35)
        except subprocess.TimeoutExpired:
            process.kill()
