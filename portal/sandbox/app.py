"""create_sandbox: the Flask application of the synthetic clinic."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Flask

from portal.sandbox import authorizing, control, oauth, rest
from portal.sandbox.clinic import NAME, Clinic
from portal.sandbox.config import SandboxConfig
from portal.sandbox.faults import Fault, Faults
from portal.sandbox.seeds import plant
from portal.sandbox.store import Store

LARGEST_BODY = 20_000_000

ZONE = ZoneInfo("America/Chicago")
"""Where the invented clinic is: what its people call today."""


def create_sandbox(config: SandboxConfig) -> Flask:
    """A clinic on `config.data`, its people planted if it is new. Serve `app`, whose wsgi_app holds the faults."""
    app = Flask(__name__, template_folder="pages", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_BODY
    store = Store(config.database, config.base_url, config.clock)
    if config.seed:
        plant(store, config.today or config.clock().astimezone(ZONE).date())
    faults = Faults(app.wsgi_app, Fault(config.fault or "none"))
    app.wsgi_app = faults  # type: ignore[method-assign]
    app.extensions[NAME] = Clinic(config, store, faults)
    for room in (control, oauth, authorizing, rest):
        app.register_blueprint(room.bp)
    return app
