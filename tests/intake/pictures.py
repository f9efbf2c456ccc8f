"""Pictures of five hard forms, phone and desktop: `python -m tests.intake.pictures` writes PNGs into pictures/.

A health check of 808 items, a grid, a table of answers, Spanish, a score; and the hub, a problem and the check page of each
kind. Grids and tables are public forms: they need PORTAL_CORPUS.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext
from werkzeug.serving import WSGIRequestHandler, make_server

from portal.questionnaire import load
from tests.bench.forms import large
from tests.browsing import CHROMIUM, chromium
from tests.corpus.corpus import ROOT, registry
from tests.intake.forms_app import FormsApp, forms_app

FOLDER = Path(__file__).resolve().parents[2] / "pictures"
BUNDLED = Path(__file__).resolve().parents[2] / "portal" / "bundled"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
FORMS = {
    "grid": ROOT
    / "smart-forms/smart-forms-renderer/stories/assets/questionnaires/QItemControlGroup/qItemControlGroupGridMultiRow.json",
    "rows": ROOT
    / "smart-forms/smart-forms-renderer/stories/assets/questionnaires/QItemControlGroup/qItemControlGroupGTableRepeats.json",
    "table": ROOT / "lforms/R4/answerOption-html-matrix-layout.json",
    "spanish": BUNDLED / "health-history.json",
    "score": BUNDLED / "phq-9.json",
}


class Silent(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@contextmanager
def served(app: FormsApp) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app.app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


class Album:
    """Takes the pictures of the patient who is signed in."""

    def __init__(self, context: BrowserContext, url: str, app: FormsApp) -> None:
        self.page, self.url, self.app = context.new_page(), url, app

    def take(self, name: str, path: str = "") -> None:
        if path:
            self.page.goto(f"{self.url}{path}")
        for size, pixels in SIZES.items():
            self.page.set_viewport_size(pixels)  # type: ignore[arg-type]
            self.page.screenshot(path=FOLDER / f"{name}-{size}.png", full_page=True)
        print(f"  {name}", flush=True)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()


def signed_in(context: BrowserContext, url: str, app: FormsApp) -> None:
    cookie = next(iter(app.client._cookies.values()))  # type: ignore[union-attr]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def walk(album: Album, slugs: list[str]) -> None:
    hub = f"/visits/{album.app.visit_id}"
    album.take("hard-hub", hub)
    for slug in slugs:
        album.page.goto(f"{album.url}{album.app.path(slug)}")
        if slug == "spanish":
            album.press("Español")
        album.take(f"hard-{slug}")
        album.press("Guardar y continuar" if slug == "spanish" else "Save and continue")
        album.take(f"hard-{slug}-next")
        if slug == "spanish":
            album.press("English")
    album.take("hard-hub-begun", hub)
    album.take("hard-check", f"{hub}/check")


def main() -> int:
    if CHROMIUM is None:
        print("No Chromium was found: no pictures.")
        return 1
    FOLDER.mkdir(exist_ok=True)
    forms: dict[str, Any] = {"many": large()} | {
        slug: json.loads(path.read_text("utf-8-sig")) for slug, path in FORMS.items() if path.is_file()
    }
    known = registry()
    with (
        tempfile.TemporaryDirectory() as folder,
        forms_app(Path(folder), {slug: load(raw, registry=known) for slug, raw in forms.items()}) as app,
        served(app) as url,
        chromium() as browser,
    ):
        context = browser.new_context()
        signed_in(context, url, app)
        walk(Album(context, url, app), list(forms))
    return 0


if __name__ == "__main__":
    sys.exit(main())
