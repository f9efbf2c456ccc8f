"""Only approved algorithms, only from well-kept libraries, and chance only from the operating system: over the whole source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import portal
from portal.accounts import passwords

ROOT = Path(portal.__file__).parent
HASHES = {"sha256", "sha384", "sha512", "blake2b", "blake2s"}
BY_A_STANDARD = {
    "labs/documents.py": "FHIR's Attachment.hash is SHA-1",
    "intake/files.py": "FHIR's Attachment.hash is SHA-1",
    "consent/resource.py": "FHIR's Attachment.hash is SHA-1",
    "sandbox/seeds/papers.py": "FHIR's Attachment.hash is SHA-1",
    "accounts/breached.py": "lists of breached passwords are of SHA-1; a password is only looked up in one, and kept as argon2",
    "accounts/totp.py": "RFC 6238, as every app reads it",
}
"""SHA-1 where a standard says so and nothing rests on collisions."""
PRIMITIVES = {
    "AESGCM", "Ed25519PrivateKey", "Ed25519PublicKey", "X25519PrivateKey", "X25519PublicKey", "HKDF", "TOTP", "SHA1", "hashes",
    "x509", "RSAPublicKey",
    "serialization", "bytes_eq", "InvalidTag", "InvalidSignature", "InvalidToken", "load_pem_private_key", "load_pem_public_key",
}  # fmt: skip
JITTER = {
    "demo/past.py",
    "demo/waiting.py",
    "demo/answering.py",  # invented people, the same at each start
    "delivery/worker.py",
    "delivery/timing.py",
    "delivery/claim.py",
    "ehr/lease.py",
    "ehr/line.py",
    "ehr/tokens.py",
}
"""Where `random` may be used: waiting a little longer or shorter is no secret, nor are the demo's invented people."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def test_only_approved_algorithms_are_used() -> None:
    for place, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib":
                assert node.attr in HASHES or (node.attr == "sha1" and place in BY_A_STANDARD), (place, node.attr)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cryptography"):
                names = {each.name for each in node.names}
                assert names <= PRIMITIVES, (place, names - PRIMITIVES)
                assert "SHA1" not in names or place in BY_A_STANDARD
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashes":
                assert node.attr in {"SHA256", "SHA384", "SHA512"}, (place, node.attr)


def test_chance_comes_from_the_operating_system() -> None:
    for place, tree in sources():
        for node in ast.walk(tree):
            named = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if "random" in named:
                assert place in JITTER, place


def test_no_cipher_is_written_here() -> None:
    """Nothing but the named packages brings cryptography."""
    known = {"cryptography", "argon2", "joserfc", "webauthn", "hashlib", "hmac", "secrets", "ssl"}
    others = {"Crypto", "Cryptodome", "nacl", "jwt", "jose", "bcrypt", "passlib", "rsa", "ecdsa", "OpenSSL", "gnupg"}
    seen = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            seen |= {name.partition(".")[0] for name in names}
    assert not seen & others
    assert known <= seen | {"ssl"}


def test_passwords_are_hashed_as_hard_as_is_recommended_now() -> None:
    """RFC 9106's second recommendation, or more; what tests use for speed is not what is delivered."""
    [made] = [
        node
        for node in ast.walk(ast.parse(Path(passwords.__file__).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PasswordHasher"
    ]
    assert not made.args and not made.keywords, "the library's own choice, which follows the recommendation"
    from argon2 import PasswordHasher, Type

    usual = PasswordHasher()
    assert usual.type is Type.ID
    assert usual.memory_cost >= 65_536 and usual.time_cost >= 3 and usual.parallelism >= 1
