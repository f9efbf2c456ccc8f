"""Brings whole folders of forms in at a start: those that come along, and the clinic's own."""

from __future__ import annotations

from pathlib import Path

import structlog

from portal import bundled
from portal.accounts import service as accounts
from portal.actors import Actor, system
from portal.errors import Misconfigured
from portal.library.importing import KNOWN, REFUSED, Brought, bring_in
from portal.library.opening import LISTS

log = structlog.get_logger()
OURS = "supplied"
THEIRS = "folder"


def everywhere(folder: Path | None) -> None:
    """Every clinic has the forms that come along, and those of `folder`: new ones are ready to be activated, known ones stay
    as they are. What is refused is named in the log. Misconfigured when the folder is not there."""
    if folder is not None and not folder.is_dir():
        raise Misconfigured(f"PREVISIT_FORMS is not a folder: {folder}")
    for clinic in accounts.clinics():
        supply(system(clinic.id), folder)


def supply(actor: Actor, folder: Path | None = None) -> None:
    """The forms that come along, and those of a folder, for one clinic."""
    for file in bundled.files():
        _told(file, bring_in(actor, file.read_bytes(), origin=OURS, name=file.name))
    for file in _lists_first(folder) if folder else ():
        _told(file, bring_in(actor, file.read_bytes(), origin=THEIRS, name=file.name))


def _lists_first(folder: Path) -> list[Path]:
    """Value sets before the forms that may need them."""
    files = sorted(folder.glob("*.json"))
    return sorted(files, key=lambda file: not any(f'"{kind}"'.encode() in file.read_bytes() for kind in LISTS))


def _told(file: Path, brought: Brought) -> None:
    if brought.trouble:
        log.error("form refused", file=file.name, reason=brought.trouble)
    for each in brought.results:
        if each.outcome == REFUSED:
            said = "; ".join(f"{wrong.link_id or 'form'}: {wrong.reason}" for wrong in each.refusals[:5])
            log.error("form refused", file=file.name, reason=said)
        elif each.outcome != KNOWN and file.parent != bundled.FOLDER:
            log.info("form brought in", file=file.name, title=each.title, version=each.version)
