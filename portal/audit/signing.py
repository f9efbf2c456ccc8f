"""The heads of the chains, signed with a key that is not in the database, for a file that an operator keeps elsewhere."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select

from portal.audit import chain, verifier
from portal.audit.models import AuditHead, AuditRow
from portal.clock import now
from portal.db import session
from portal.errors import Misconfigured

MOST = 5_000
"""Entries of one clinic that are handed on at once; the whole trail is what `portal audit export` is for."""


@dataclass(frozen=True)
class Place:
    """Where the key is (made when first needed) and where signed heads are appended."""

    key: Path
    heads: Path

    @property
    def public(self) -> Path:
        return self.key.with_suffix(".pub.pem")


def sign(place: Place, *, restored: bool = False) -> list[dict[str, Any]]:
    """Append the heads that moved since they were last signed; what was appended.

    `restored`: a backup was brought back knowingly, so that what was signed beyond it counts no longer.
    """
    private, last = _key(place), _last(place.heads)
    moved = [head for head in session().scalars(select(AuditHead)) if restored or last.get(head.clinic_id) != head.seq]
    stamp = now().isoformat(timespec="seconds")
    lines = [
        verifier.signed(
            private,
            {"clinic_id": head.clinic_id, "seq": head.seq, "hash": head.hash, "at": stamp, "restored": restored},
        )
        for head in sorted(moved, key=lambda head: head.clinic_id)
    ]
    if lines:
        place.heads.parent.mkdir(parents=True, exist_ok=True)
        with place.heads.open("ab") as file:
            file.write(b"".join(verifier.canonical(each) + b"\n" for each in lines))
            file.flush()
            os.fsync(file.fileno())
    return lines


def unsigned(place: Place) -> Iterator[verifier.Row]:
    """The entries since the ends were last signed, a clinic after the other, as the verifier reads them; MOST of each, the newest."""
    last = _last(place.heads)
    for head in session().scalars(select(AuditHead).order_by(AuditHead.clinic_id)).all():
        first = max(last.get(head.clinic_id, 0), head.seq - MOST)
        wanted = select(AuditRow).where(
            AuditRow.clinic_id == head.clinic_id, AuditRow.seq > first, AuditRow.seq <= head.seq
        )
        yield from map(chain.exported, session().scalars(wanted.order_by(AuditRow.seq)))


def heads(place: Place) -> list[verifier.Row]:
    """The heads that were signed so far, each checked; ValueError when one is not ours."""
    public = _key(place).public_key()
    return verifier.believed(public, place.heads.read_text().splitlines()) if place.heads.exists() else []


def _last(path: Path) -> dict[str, int]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {head["clinic_id"]: head["seq"] for head in map(json.loads, filter(str.strip, lines))}


def _key(place: Place) -> Ed25519PrivateKey:
    """The key that signs; made at first, readable by its owner only, with its public half beside it."""
    if not place.key.exists():
        _make(place)
    if stat.S_IMODE(place.key.stat().st_mode) & 0o077:
        raise Misconfigured(f"The key file {place.key} can be read by other users. Run: chmod 600 {place.key}")
    try:
        found = load_pem_private_key(place.key.read_bytes(), password=None)
    except ValueError as broken:
        raise Misconfigured(f"The key file {place.key} cannot be read. Restore it from your backup.") from broken
    if not isinstance(found, Ed25519PrivateKey):
        raise Misconfigured(f"The key file {place.key} does not hold an Ed25519 key.")
    return found


def _make(place: Place) -> None:
    made = Ed25519PrivateKey.generate()
    body = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    place.key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place.public.write_bytes(public)
    with os.fdopen(os.open(place.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
