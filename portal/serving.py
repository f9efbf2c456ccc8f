"""The two processes of an installation: the pages (gunicorn) and the worker; both stop quietly at SIGTERM."""

import os
import threading
from datetime import timedelta
from typing import Any

from gunicorn.app.base import BaseApplication

from portal import db, pages, settings
from portal.accounts import service as accounts
from portal.actors import system
from portal.app import create_app
from portal.clock import now
from portal.consent import service as consent
from portal.delivery import worker
from portal.delivery.abilities import Abilities
from portal.delivery.tools import Tools
from portal.ehr import service as ehr
from portal.ehr.errors import NotReached
from portal.intake import service as intake
from portal.settings import Settings

CALENDAR_SECONDS = 300
RECORD_SECONDS = 600
AHEAD = timedelta(days=3)
WARM = timedelta(hours=12)


class Pages(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; each process opens its own database connections after the fork."""

    def __init__(self, config: Settings, options: dict[str, Any]) -> None:
        self.portal_settings, self.options = config, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return create_app(self.portal_settings)


def serve() -> int:
    """Serve the pages at PREVISIT_BIND (127.0.0.1:8000) until a signal ends it."""
    config = _ready()
    db.dispose()
    options = {
        "bind": os.environ.get("PREVISIT_BIND", "127.0.0.1:8000"),
        "workers": int(os.environ.get("PREVISIT_PROCESSES", "1")),
        "threads": 8,
        "worker_class": "gthread",
        "graceful_timeout": 30,
        "timeout": 60,
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "forwarded_allow_ips": "",
        "accesslog": None,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    Pages(config, {name: value for name, value in options.items() if value is not None}).run()
    return 0


def work() -> int:
    """Deliver, and look at calendars and records, until a signal ends it; 1 when work in hand did not end in time."""
    config = _ready()
    stop = threading.Event()
    worker.stop_at_signals(stop)
    jobs = (worker.Job("calendar", CALENDAR_SECONDS, _calendars), worker.Job("records", RECORD_SECONDS, _records))
    return 0 if worker.run(tools(config), stop, jobs) else 1


def tools(config: Settings) -> Tools:
    """What the worker needs: the consent gate, asked at each claim, and the clinics' clients."""
    return Tools(
        gate=lambda item: consent.may_send(item, consent.POLICIES[config.consent_default]),
        clients=_client,
        atomic=Abilities(),
    )


def _client(clinic_id: str) -> ehr.FhirClient:
    connection = ehr.connection_for(clinic_id)
    if connection is None:
        raise NotReached("no connection", sent=False)
    return ehr.client_for(connection)


def _ready() -> Settings:
    pages.configure_logs()
    config = settings.read()
    db.connect(config.database, config.keys)
    db.migrate()
    accounts.check_key_ring()
    return config


def _calendars() -> None:
    for clinic in accounts.clinics():
        intake.synchronise(system(clinic.id))


def _records() -> None:
    """Read ahead of the patient for the visits that come up, so that pages have something at hand whatever happens."""
    for clinic in accounts.clinics():
        actor = system(clinic.id)
        for patient_id in {visit.patient_id for visit in intake.upcoming(actor, now(), now() + AHEAD)}:
            ehr.read_several(actor, patient_id, tuple(ehr.Kind), max_age=WARM, limits=ehr.PATIENT)
