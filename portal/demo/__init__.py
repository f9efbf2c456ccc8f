"""`portal demo`: the portal, the worker and a synthetic clinic on this machine, set up on the first start, stopped together."""

import argparse
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import structlog

from portal import assets, db, sealing, settings
from portal.accounts import totp
from portal.actors import Role
from portal.demo import past, waiting
from portal.demo.seeding import (
    CLIENT_ID,
    FATHER,
    MOTHER,
    NOT_LISTED,
    PASSWORD,
    STAFF,
    WITH_ACCOUNT,
    Place,
    first_clinic,
    prepare_database,
    seed,
)
from portal.errors import Misconfigured
from portal.fhir import exact
from portal.sandbox.faults import MODES
from portal.sandbox.seeds import people


def run(arguments: argparse.Namespace) -> int:
    """Start all three, print where to go and as whom, and wait; Ctrl-C (or SIGTERM) ends them. Raises Misconfigured."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )  # the addresses stay in sight
    fault, place = arguments.fault, _place()
    if fault is not None and fault not in MODES:
        raise Misconfigured(f"--fault must be one of: {', '.join(MODES)}.")
    for port in (place.portal_port, place.clinic_port):
        _check_port(port)
    _prepare_folder(place)
    _build_assets()
    environ = _environment(place)
    prepare_database(place, environ)
    processes = [_start(["sandbox", *_sandbox_options(place, fault)], environ)]
    try:
        _wait_for(f"{place.clinic_url}/metadata", processes, environ, allow_errors=fault is not None)
        first = not place.links.exists()
        seed(place)
        processes.append(_start(["serve"], environ))
        _wait_for(f"{place.portal_url}/pulse", processes, environ)
        _say(place, fault)
        _watch(processes, partial(_past, place, environ) if first and not fault else None, environ)
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
    shown = totp.shown(first_clinic() or "", arguments.email)
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


def _sandbox_options(place: Place, fault: str | None) -> list[str]:
    options = ["--port", str(place.clinic_port), "--data", str(place.instance / "sandbox")]
    options += ["--client-id", CLIENT_ID, "--client-jwks", str(place.jwks)]
    options += ["--redirect-uri", place.callback.read_text(), "--launch-url", f"{place.portal_url}/launch"]
    return [*options, "--fault", fault] if fault else options


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
    for fhir_id, made in links.items():
        if fhir_id == MOTHER:
            print(f"\n  A link for the mother, who is in the record: {sentences[fhir_id]}")
            print(f"    {place.portal_url}/answer/{made}\n    Born: {born[fhir_id]}")
            continue
        print(f"\n  An invitation as a patient gets it, the link by e-mail, the code on paper: {sentences[fhir_id]}")
        print(f"    {place.portal_url}/join/{made['token']}")
        print(f"    Code: {made['code']}\n    Date of birth: {born[fhir_id]}")
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
    print(f"\n  What the parts of it log is in {place.instance / 'demo.log'}")
    print("  Ctrl-C stops it all. A second start keeps the data; `make demo-reset` throws it away.\n", flush=True)


def _start(words: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """A part of it; what it logs goes to a file, so that the addresses stay in sight."""
    with _log(environ).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "portal.cli", *words], env=environ, stderr=log, start_new_session=True
        )


def _log(environ: dict[str, str]) -> Path:
    return settings.instance_path(environ) / "demo.log"


def _last_words(environ: dict[str, str]) -> str:
    """The end of what the parts have logged."""
    lines = _log(environ).read_text(errors="replace").splitlines()[-8:]
    return "\n    ".join([f"The end of {_log(environ)}:", *lines])


def _wait_for(
    url: str, processes: list[subprocess.Popen[bytes]], environ: dict[str, str], *, allow_errors: bool = False
) -> None:
    for _ in range(300):
        if any(process.poll() is not None for process in processes):
            raise Misconfigured(f"A part of the demo stopped while starting. {_last_words(environ)}")
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - an address of our own making
                return
        except (URLError, OSError):
            if allow_errors and _:
                return
            time.sleep(0.1)
    raise Misconfigured(f"{url} did not answer within 30 seconds.")


def _past(place: Place, environ: dict[str, str]) -> None:
    """The people who came in the last weeks, while the portal is open already; the worker begins when they are through."""
    clinic_id, people = first_clinic(), past.wanted()
    if clinic_id is None or not people:
        return
    print(
        f"  A past of {people} synthetic visits is being made, for the page Measures. It takes a minute or two.",
        flush=True,
    )
    email = next(email for role, _name, email in STAFF if role is Role.CLINICIAN)
    try:
        waiting.arrive(clinic_id, place.sandbox, place.clinic_url)
        past.live(settings.read(environ), past.doctor(clinic_id, email), people, place.sandbox, place.clinic_url)
        print("  The past is there.", flush=True)
    except Exception as fault:  # the clinic may be broken on purpose meanwhile: the demo goes on with less of a past
        print(f"  The past ends early: {type(fault).__name__}.", flush=True)
    finally:
        db.close()


def _watch(
    processes: list[subprocess.Popen[bytes]], before: Callable[[], None] | None, environ: dict[str, str]
) -> None:
    """Do what comes before the worker, start that, and wait until Ctrl-C, SIGTERM, or one of them ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if before is not None:
            before()
        processes.append(_start(["worker"], environ))
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        print(f"A part of the demo has stopped; stopping the rest. {_last_words(environ)}", file=sys.stderr)
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
