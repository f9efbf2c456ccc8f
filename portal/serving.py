"""Serves the pages with gunicorn; the process that watches over the others stays small."""

import gc
import os
import subprocess
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from portal import logs, settings
from portal.errors import Misconfigured
from portal.settings import Settings


class Pages(BaseApplication):  # type: ignore[misc]
    """gunicorn with threads; each process loads the application and opens its own database connections."""

    def __init__(self, config: Settings, options: dict[str, Any]) -> None:
        self.portal_settings, self.options = config, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from portal.app import create_app  # in the serving process only: the one that watches needs none of it
        from portal.fhirpath import load_units

        load_units()  # a second that the first patient with a unit would wait
        made = create_app(self.portal_settings)
        gc.collect()
        gc.freeze()  # what stands at the start stays: it need not be walked through again with every collection
        return made


def run(arguments: object = None) -> int:
    """Serve the pages at PREVISIT_BIND (127.0.0.1:8000) until a signal ends it."""
    logs.configure()
    config = settings.read()
    logs.send_to(config.log_collector)
    migrate_apart()
    options = {
        "bind": os.environ.get("PREVISIT_BIND", "127.0.0.1:8000"),
        "workers": settings.number(os.environ, "PREVISIT_PROCESSES", 1),
        "threads": 8,
        "worker_class": "gthread",
        "graceful_timeout": 30,
        "timeout": 60,
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "forwarded_allow_ips": "",
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    Pages(config, options).run()
    return 0


def migrate_apart() -> None:
    """Bring the database up to date in a process of its own, so that what that takes does not stay in memory here."""
    if subprocess.run([sys.executable, "-m", "portal.cli", "migrate", "--quiet"], check=False).returncode:
        raise Misconfigured("The database could not be brought up to date. The lines above say why.")
