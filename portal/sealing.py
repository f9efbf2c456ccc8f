"""Seals health data at rest: AES-256-GCM bound to its place, data keys wrapped by a key ring outside the database, a blind index.

Decided: data keys per patient, wrapped by a ring outside the database: erasing a person is deleting a key (for copies) and their rows (so
that no list meets what it cannot open); turning the ring over rewrites keys, not records. The index key is not turned over: recovery
codes, links and passkeys are known only by their HMAC under it, and the trail is proved by it.
"""

import hashlib
import hmac
import json
import os
import secrets
import shlex
import stat
import subprocess
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.errors import Misconfigured

_NONCE = 12
_LONGEST, _AGAIN = 30, 60
"""Seconds that the command of a vault may take, and after which it is asked again without a cause."""


def seal(key: bytes, clear: bytes, place: str) -> bytes:
    """nonce (12 bytes) + AES-256-GCM ciphertext of `clear`; `place` (table|column|row|owner) is authenticated with it."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, clear, place.encode())


def unseal(key: bytes, sealed: bytes, place: str) -> bytes:
    """The clear bytes; SealBroken when the key, the place or a single bit differs."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
    except (InvalidTag, ValueError) as broken:
        raise SealBroken(place) from broken


class SealBroken(Exception):
    """A sealed value does not open: wrong key, wrong place, or it was changed."""


@dataclass
class Command:
    """A command that writes the key file's content to its standard output: the clinic's vault."""

    words: str
    asked_at: float = 0.0


@dataclass(frozen=True)
class KeyRing:
    """Master keys by version (the highest wraps, all unwrap) and the key of the blind index."""

    masters: dict[int, bytes]
    index_key: bytes
    source: Path | Command | None = field(default=None, compare=False)
    """where it came from: a process that runs on takes up new masters from there when it meets one"""

    @property
    def version(self) -> int:
        return max(self.masters)

    def renew(self) -> None:
        """Take up what was added to the file since; nothing is dropped, and another ring is never taken for this one."""
        if self.source is not None:
            found = load(self.source) if isinstance(self.source, Path) else ask(self.source)
            if found.index_key == self.index_key:
                self.masters.update(found.masters)

    def wrap(self, data_key: bytes, owner: str) -> bytes:
        self._look()
        return self.version.to_bytes(2, "big") + seal(self.masters[self.version], data_key, f"data-key|{owner}")

    def _look(self) -> None:
        """See whether there is a newer master: a file each time, a vault now and then, and what we have does when it is away."""
        if not isinstance(self.source, Command):
            self.renew()
        elif monotonic() - self.source.asked_at > _AGAIN:
            with suppress(Misconfigured):
                self.renew()

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        master = self.masters.get(version_of(wrapped)) or self._met(version_of(wrapped))
        if master is None:
            raise SealBroken(f"data-key|{owner}")
        return unseal(master, wrapped[2:], f"data-key|{owner}")

    def _met(self, version: int) -> bytes | None:
        """A master that was made after this process started."""
        self.renew()
        return self.masters.get(version)

    def blind(self, kind: str, value: str) -> str:
        """A keyed index (hex, 64 characters) that lets equal values be found without being readable."""
        return hmac.new(self.index_key, f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()

    def derived(self, use: str) -> bytes:
        """32 bytes for another use (cookie signing, audit chain) that never equal a master key."""
        return hmac.new(self.index_key, f"use|{use}".encode(), hashlib.sha256).digest()

    def fingerprint(self) -> str:
        """Recognises the ring without telling anything of it; kept in the database so that a wrong ring refuses to start."""
        return hashlib.sha256(b"ring|" + self.derived("fingerprint")).hexdigest()


def version_of(wrapped: bytes) -> int:
    """Which master a data key is wrapped with."""
    return int.from_bytes(wrapped[:2], "big")


def new_key() -> bytes:
    return secrets.token_bytes(32)


def create(path: Path) -> KeyRing:
    """A new ring written to `path`, readable by its owner only; never overwrites."""
    ring = KeyRing({1: new_key()}, new_key(), path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        _write(ring, file)
    return ring


def replace(path: Path, ring: KeyRing) -> None:
    """Put `ring` in the place of the file at `path`: whole or not at all, whatever happens meanwhile."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        _write(ring, file)
    os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def written(ring: KeyRing) -> str:
    """The ring as the key file holds it."""
    body = {
        "masters": {str(number): urlsafe_b64encode(key).decode() for number, key in ring.masters.items()},
        "index": urlsafe_b64encode(ring.index_key).decode(),
    }
    return json.dumps(body)


def _write(ring: KeyRing, file: TextIO) -> None:
    file.write(written(ring))
    file.flush()
    os.fsync(file.fileno())


def load(path: Path) -> KeyRing:
    """The ring at `path`. Misconfigured when it is missing, unreadable, or open to others."""
    if not path.exists():
        raise Misconfigured(
            f"The key file {path} is missing. At first, `portal keys` makes it; later restore it from your backup: without "
            "it stored data cannot be read."
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Misconfigured(f"The key file {path} can be read by other users. Run: chmod 600 {path}")
    try:
        text = path.read_text()
    except (OSError, ValueError) as broken:
        raise Misconfigured(
            f"The key file {path} cannot be read as a key ring. Restore it from your backup."
        ) from broken
    return _ring(text, path, f"The key file {path}")


def ask(command: Command) -> KeyRing:
    """The ring that `command` tells. Misconfigured, with nothing of what it said, when it fails, is late or tells none."""
    command.asked_at = monotonic()
    try:
        done = subprocess.run(
            shlex.split(command.words),
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as wrong:
        how = (
            f"ended with {wrong.returncode}"
            if isinstance(wrong, subprocess.CalledProcessError)
            else type(wrong).__name__
        )
        raise Misconfigured(f"The command of PREVISIT_KEYS_COMMAND did not give the keys ({how}).") from None
    return _ring(done.stdout, command, "What the command of PREVISIT_KEYS_COMMAND gave")


def _ring(text: str, source: Path | Command, what: str) -> KeyRing:
    try:
        body: Any = json.loads(text)
        masters = {int(number): urlsafe_b64decode(key) for number, key in body["masters"].items()}
        ring = KeyRing(masters, urlsafe_b64decode(body["index"]), source)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise Misconfigured(f"{what} cannot be read as a key ring. Restore it from your backup.") from None
    if not masters or any(len(key) != 32 for key in [*masters.values(), ring.index_key]):
        raise Misconfigured(f"{what} holds a key of the wrong length. Restore it from your backup.")
    return ring
