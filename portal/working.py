"""The worker as a process: what it is given to deliver with, and the jobs beside delivery."""

import threading
from dataclasses import replace
from datetime import timedelta

import structlog

from portal import db, engines, logs, serving, settings
from portal.accounts import ending
from portal.accounts import service as accounts
from portal.actors import system
from portal.audit import signing
from portal.clock import now
from portal.consent import service as consent
from portal.delivery import cluster, crew, wakes, worker
from portal.delivery.abilities import Abilities
from portal.delivery.bundle import Payload
from portal.delivery.timing import Timing
from portal.delivery.tools import Tools
from portal.delivery.wrong_record import passes
from portal.ehr import service as ehr
from portal.ehr.errors import NotReached
from portal.emergency import service as emergencies
from portal.intake import service as intake
from portal.labs import measuring
from portal.library import service as library
from portal.measures import days
from portal.notices import mail
from portal.notices import service as notices
from portal.settings import Settings

log = structlog.get_logger()
CALENDAR_SECONDS = 300
RECORD_SECONDS = 600
QUALITY_SECONDS = 900
MEASURES_SECONDS = 1200
EMERGENCY_SECONDS = 60
MESSAGE_SECONDS = 20
LIST_SECONDS = 60
"""How often it is looked whether a list of answers is missing or old; those that are at hand are read again every week."""
HEADS_SECONDS = 300
"""How often the ends of the audit trails are signed; what is younger than that could be cut off unnoticed."""
SIZES_SECONDS = 6 * 3600
SWEEP_SECONDS = 3
GRANTS_SECONDS = 3600
AHEAD = timedelta(days=3)
WARM = timedelta(hours=12)


def run(arguments: object = None) -> int:
    """Deliver, and look at calendars and records, until a signal ends it; 1 when work in hand did not end in time."""
    logs.configure()
    config = settings.read()
    logs.send_to(config.log_collector)
    serving.migrate_apart()
    db.connect(config.database, config.keys)
    stop = threading.Event()
    worker.stop_at_signals(stop)
    given, pace, me = tools(config), worker.Pace(), crew.member()
    jobs = [worker.Job("beat", crew.BEAT, me.beat), *(me.once(job) for job in shared(config))]
    taking = None
    if config.engine != "own":
        jobs.append(worker.Job("wakes", SWEEP_SECONDS, lambda: wakes.sweep(given.clock, given.timing)))
        taking = cluster.engine(config.database, given, pace)
    me.beat()
    log.info("worker at work", name=me.name)
    quiet = worker.run(given, stop, jobs, pace, taking)
    if quiet:
        me.leave()
    return 0 if quiet else 1


def shared(config: Settings) -> list[worker.Job]:
    """What is done beside delivery: by one of all workers, however many there are."""
    return [
        worker.Job("grants", GRANTS_SECONDS, _grants),
        worker.Job("calendar", CALENDAR_SECONDS, _calendars),
        worker.Job("records", RECORD_SECONDS, _records),
        worker.Job("messages", MESSAGE_SECONDS, lambda: _messages(config)),
        worker.Job("emergencies", EMERGENCY_SECONDS, emergencies.end_overdue),
        worker.Job("quality", QUALITY_SECONDS, _quality),
        worker.Job("measures", MEASURES_SECONDS, _measures),
        worker.Job("audit heads", HEADS_SECONDS, _sign_heads),
        worker.Job("sizes", SIZES_SECONDS, lambda: engines.weigh(db.engine())),
        worker.Job("lists", LIST_SECONDS, lambda: _lists(config.terminology)),
    ]


def _sign_heads() -> None:
    """Into the file, and into the log: ids, numbers and a signature, nothing else. A collector is given the new entries too."""
    place = signing.Place(settings.audit_key_path(), settings.audit_heads_path())
    if logs.collected():
        for entry in signing.unsigned(place):
            logs.elsewhere({"event": "audit entry", "entry": entry})
    for each in signing.sign(place):
        log.info("audit head", **each)


def tools(config: Settings) -> Tools:
    """What the worker needs: the consent gate, asked at each claim, and the clinics' clients."""
    policy = consent.POLICIES[config.consent_default]
    return Tools(
        gate=lambda item: passes(item) or consent.may_send(item, policy),
        clients=_client,
        timing=_timing(config),
        atomic=Abilities(),
        reaches=_reaches,
    )


def _timing(config: Settings) -> Timing:
    """A server with a short bound (the demo's) is also waited for shortly."""
    usual, bound = Timing(), config.processing_bound_seconds
    return replace(usual, bound=bound) if bound >= 60 else replace(usual, bound=bound, send=20, lease=30, first=5)


def _client(clinic_id: str) -> ehr.FhirClient:
    connection = ehr.connection_for(clinic_id)
    if connection is None:
        raise NotReached("no connection", sent=False)
    return ehr.client_for(connection)


def _reaches(clinic_id: str, payload: Payload) -> bool:
    connection = ehr.connection_for(clinic_id)
    return connection is not None and ehr.reaches(connection, payload.needs())


def _calendars() -> None:
    for clinic in accounts.clinics():
        intake.synchronise(system(clinic.id))


def _records() -> None:
    """Read ahead of the patient for the visits that come up, so that pages have something at hand whatever happens."""
    for clinic in accounts.clinics():
        actor = system(clinic.id)
        for patient_id in {visit.patient_id for visit in intake.upcoming(actor, now(), now() + AHEAD)}:
            ehr.read_several(actor, patient_id, tuple(ehr.Kind), max_age=WARM, limits=ehr.PATIENT)


def _grants() -> None:
    """Write down which permissions to answer for a patient have ended by themselves, and tell whose end soon."""
    for clinic in accounts.clinics():
        ending.end_what_is_over(system(clinic.id))
        ending.tell_ahead(system(clinic.id))


def _lists(server: str) -> None:
    for clinic in accounts.clinics():
        library.refresh(system(clinic.id), server)


def _messages(config: Settings) -> None:
    """Write to patients, where a way to do so is set."""
    post = mail.post(config)
    if post is not None:
        notices.run(config, post)


def _quality() -> None:
    """Count how good the results were that came today, for the staff page."""
    for clinic in accounts.clinics():
        measuring.take(system(clinic.id))


def _measures() -> None:
    """Count the days that are over, for the staff page."""
    for clinic in accounts.clinics():
        days.take(system(clinic.id))
