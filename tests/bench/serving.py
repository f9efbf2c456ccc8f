"""A folder of files on 127.0.0.1, compressed as a good server would, to show another renderer to a browser."""

from __future__ import annotations

import gzip
import mimetypes
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def served(folder: Path, extra: Mapping[str, bytes]) -> Iterator[str]:
    """The address of the folder; `extra` are further files by their path."""
    packed: dict[str, bytes] = {}

    class Files(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path not in packed and (body := content(path)) is not None:
                packed[path] = gzip.compress(body)
            self.send_response(200 if path in packed else 404)
            self.send_header("Content-Type", mimetypes.guess_type(path)[0] or "text/html")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed.get(path, b""))))
            self.end_headers()
            self.wfile.write(packed.get(path, b""))

        def log_message(self, *arguments: object) -> None:
            return

    def content(path: str) -> bytes | None:
        if path in extra:
            return extra[path]
        file = (folder / path.lstrip("/")).resolve()
        return file.read_bytes() if file.is_relative_to(folder.resolve()) and file.is_file() else None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
