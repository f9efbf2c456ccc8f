"""A file that anybody with the public key can fill and only the private key opens: X25519, HKDF, AES-256-GCM in numbered chunks.

    magic · recipient's fingerprint (16) · ephemeral public key (32) · chunks: length (4) + ciphertext (clear + 16)

Every chunk's nonce is its number and whether it is the last, and the header is authenticated with each: a chunk that was changed,
moved, left out, doubled, or cut off at the end makes the whole file worthless, and nothing of it is believed before the end was seen.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.errors import PortalError

MAGIC = b"previsit-backup-1\n"
CHUNK = 256 * 1024
PUBLIC, PRIVATE = "previsit-backup-public-", "previsit-backup-private-"


class Broken(PortalError):
    title = "This backup cannot be used"


def make_pair(path: Path) -> str:
    """Write a new private key to `path` (its owner's only); the public key, as a word for a setting."""
    private = X25519PrivateKey.generate()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(PRIVATE + private.private_bytes_raw().hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return PUBLIC + private.public_key().public_bytes_raw().hex()


def public(word: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(_bytes(word.strip(), PUBLIC))


def private(path: Path) -> X25519PrivateKey:
    if not path.exists():
        raise PortalError(f"The private key {path} is not there.")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise PortalError(f"The private key {path} can be read by other users. Run: chmod 600 {path}")
    return X25519PrivateKey.from_private_bytes(_bytes(path.read_text().strip(), PRIVATE))


def _bytes(word: str, kind: str) -> bytes:
    try:
        found = bytes.fromhex(word.removeprefix(kind)) if word.startswith(kind) else b""
    except ValueError:
        found = b""
    if len(found) != 32:
        raise PortalError(f"That is not a key of ours: it would start with {kind} and 64 hex characters follow.")
    return found


def fill(file: BinaryIO, to: X25519PublicKey, parts: Iterable[bytes]) -> int:
    """Write what `parts` give, encrypted to `to`; how many bytes of it."""
    once = X25519PrivateKey.generate()
    header = MAGIC + fingerprint(to) + once.public_key().public_bytes_raw()
    cipher, count, number = AESGCM(_key(once.exchange(to), header)), 0, 0
    file.write(header)
    waiting: bytes | None = None
    for chunk in _even(parts):
        if waiting is not None:
            _put(file, cipher.encrypt(_nonce(number, last=False), waiting, header))
            number += 1
        waiting, count = chunk, count + len(chunk)
    _put(file, cipher.encrypt(_nonce(number, last=True), waiting or b"", header))
    return count


def opened(file: BinaryIO, by: X25519PrivateKey) -> Iterator[bytes]:
    """The chunks, each true by itself; whoever reads must come to the end before using any. Broken when one is not true."""
    header = file.read(len(MAGIC) + 16 + 32)
    if len(header) != len(MAGIC) + 48 or not header.startswith(MAGIC):
        raise Broken("This is not a backup of ours.")
    if header[len(MAGIC) :][:16] != fingerprint(by.public_key()):
        raise Broken("This backup was encrypted to another key.")
    cipher = AESGCM(_key(by.exchange(X25519PublicKey.from_public_bytes(header[-32:])), header))
    number, chunk = 0, _get(file)
    while chunk is not None:
        after = _get(file)
        try:
            yield cipher.decrypt(_nonce(number, last=after is None), chunk, header)
        except InvalidTag as wrong:
            raise Broken("This backup was changed or cut off. Nothing of it was used.") from wrong
        number, chunk = number + 1, after
    if number == 0:
        raise Broken("This backup was changed or cut off. Nothing of it was used.")


def fingerprint(of: X25519PublicKey) -> bytes:
    return sha256(of.public_bytes_raw()).digest()[:16]


def _key(shared: bytes, header: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=header, info=b"previsit backup").derive(shared)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _even(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of one size, the last one shorter."""
    held = bytearray()
    for part in parts:
        held += part
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


def _put(file: BinaryIO, sealed: bytes) -> None:
    file.write(len(sealed).to_bytes(4, "big") + sealed)


def _get(file: BinaryIO) -> bytes | None:
    head = file.read(4)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    body = file.read(size) if len(head) == 4 and 16 <= size <= CHUNK + 16 else b""
    if len(body) != size or not body:
        raise Broken("This backup was changed or cut off. Nothing of it was used.")
    return body
