"""Our published key sets, where a clinic's authorization server fetches them: a plain server on a free port."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from portal import db


class KeySets:
    """`publish` puts a JWK Set where `address` says, made anew for each look; unknown names are 404."""

    def __init__(self) -> None:
        self._held: dict[str, Callable[[], dict[str, Any]]] = {}
        held = self._held

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = held.get(self.path.strip("/"))
                body = json.dumps(found() if found else {}).encode()
                db.close()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # whoever asked did not wait
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"

    def publish(self, name: str, keys: Callable[[], dict[str, Any]]) -> None:
        self._held[name] = keys

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
