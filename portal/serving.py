"""Serves the pages with gunicorn; the process that watches over the others stays small."""

import gc
import logging
import os
import socket
import subprocess
import sys
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from portal import logs, settings, variables
from portal.errors import Misconfigured
from portal.settings import Settings

STYLE = settings.ROOT / "static" / "vendor" / "previsit.css"
"""Made at set-up from packages (portal/assets); no page can be drawn without it."""


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

        load_units()
        made = create_app(self.portal_settings)
        gc.collect()
        gc.freeze()  # what stands at the start stays: it need not be walked through again with every collection
        return made


class Lines(Logger):  # type: ignore[misc]
    """What gunicorn says goes the way of all our lines: its own would hold addresses, and whole requests that it cannot read."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, *_: object) -> None:
        """Nothing: the trail and the pages say what was asked."""


def run(arguments: object = None) -> int:
    """Serve the pages at PREVISIT_BIND (127.0.0.1:8000) until a signal ends it."""
    logs.configure()
    config = settings.read()
    logs.send_to(config.log_collector)
    if not STYLE.exists():
        raise Misconfigured("The style sheet and the script are not built yet. Run: make setup")
    place, processes = _free(*variables.bind(os.environ)), variables.number(os.environ, "PREVISIT_PROCESSES")
    migrate_apart()
    options = {
        "bind": place,
        "workers": processes,
        "threads": 8,
        "worker_class": "gthread",
        "graceful_timeout": 30,
        "timeout": 60,
        "limit_request_line": 4094,
        "limit_request_fields": 100,
        "forwarded_allow_ips": "",
        "logger_class": Lines,
        "control_socket_disable": True,
        "pre_fork": _share,
    }
    structlog.get_logger().info("pages are served", at=place, reached_as=config.base_url)
    Pages(config, options).run()
    return 0


def _free(host: str, port: int) -> str:
    """This place, as the server wants it told. Misconfigured when it cannot be had."""
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise Misconfigured(
                f"Pages cannot be served at {host}:{port}: {problem.strerror}. Set PREVISIT_BIND to another place, "
                "or stop what is there."
            ) from problem
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _share(watching: object, serving: object) -> None:
    """Before a process is made of this one: a collection in it leaves alone, and so shared, what both have."""
    gc.freeze()


def migrate_apart() -> None:
    """Bring the database up to date in a process of its own, so that what that takes does not stay in memory here."""
    if subprocess.run([sys.executable, "-m", "portal.cli", "migrate", "--quiet"], check=False).returncode:
        raise Misconfigured("Previsit was not started. The lines above say why.")
