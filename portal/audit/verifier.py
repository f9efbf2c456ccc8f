"""Verifies an audit trail without the portal: the standard library and `cryptography`, this one file, nothing else.

    python verifier.py --keys keys.json --database previsit.db --heads audit-heads.ndjson --public audit-key.pub.pem
    python verifier.py --keys keys.json --export trail.ndjson      (what `portal audit export --format chain` wrote)

Without --heads a trail that was cut at its end, rolled back whole, or rebuilt by somebody who has the keys looks true; the signed
heads, kept elsewhere, tell. The keys are needed because the chain is keyed: nobody without them can make a link.
Exit: 0 whole, 1 broken (each break is printed), 2 cannot read.
"""

import argparse
import hashlib
import hmac
import json
import sqlite3
import sys
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

GENESIS = "0" * 64
FIELDS = (
    "id",
    "clinic_id",
    "seq",
    "event",
    "outcome",
    "role",
    "account_id",
    "patient_id",
    "subject",
    "purpose",
    "request_id",
    "recorded_at",
    "detail",
)
"""What counts of a row, in this order. recorded_at: ISO 8601 in UTC with microseconds; detail: SHA-256 (hex) of the sealed detail, so
that erasing a person keeps the chain whole."""
SIGNED = ("clinic_id", "seq", "hash", "at", "restored")

Row = Mapping[str, Any]
End = tuple[int, str]


def canonical(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def link(key: bytes, before: str, row: Row) -> str:
    """The hash (64 hex characters) of `row` after `before`."""
    return hmac.new(key, before.encode() + canonical({name: row[name] for name in FIELDS}), hashlib.sha256).hexdigest()


def audit_key(ring: Path) -> bytes:
    """The key of the chain, out of the portal's key file."""
    index = urlsafe_b64decode(json.loads(ring.read_text())["index"])
    return hmac.new(index, b"use|audit", hashlib.sha256).digest()


@dataclass(frozen=True)
class Break:
    """Where the trail of one clinic stops being true, and what is wrong there."""

    clinic_id: str
    seq: int
    why: str


def breaks(
    key: bytes,
    rows: Iterable[Row],
    ends: Mapping[str, End],
    heads: Iterable[Row] = (),
    after: Mapping[str, End] | None = None,
) -> list[Break]:
    """Every clinic's first break, none when all is whole. `rows` are in order of clinic and seq; `ends` are the heads beside them;
    `heads` were signed earlier and are believed; so is what the rows come `after`, when they are only the newest."""
    found: dict[str, Break] = {}
    reached: dict[str, End] = {**(after or {})}
    known: dict[tuple[str, int], str] = {}
    for head in standing(heads):
        known[head["clinic_id"], head["seq"]] = head["hash"]
    for row in rows:
        clinic = row["clinic_id"]
        if clinic in found:
            continue
        seq, before = reached.get(clinic, (0, GENESIS))
        reached[clinic] = (row["seq"], row["hash"])
        if row["seq"] != seq + 1:
            found[clinic] = Break(clinic, seq + 1, "an entry is missing, doubled or out of its place")
        elif not hmac.compare_digest(row["hash"], link(key, before, row)):
            found[clinic] = Break(clinic, seq + 1, "the entry was changed, or the one before it")
        elif known.get((clinic, row["seq"]), row["hash"]) != row["hash"]:
            found[clinic] = Break(clinic, row["seq"], "it is not what was signed: the trail was written anew")
    for clinic in {*ends, *reached}:
        end = reached.get(clinic, (0, GENESIS))
        if clinic not in found and ends.get(clinic, (0, GENESIS)) != end:
            found[clinic] = Break(clinic, end[0] + 1, "the trail does not end where its head says")
    for clinic, seq in known:
        if clinic not in found and seq > reached.get(clinic, (0, GENESIS))[0]:
            found[clinic] = Break(clinic, reached.get(clinic, (0, GENESIS))[0] + 1, f"it was signed up to entry {seq}")
    return list(found.values())


# -- signed heads ----------------------------------------------------------------------------------------------------


def fingerprint(public: Ed25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def signed(private: Ed25519PrivateKey, head: Row) -> dict[str, Any]:
    """The head with our signature; a line of the file that an operator keeps elsewhere."""
    body = {name: head[name] for name in SIGNED}
    signature = b64encode(private.sign(canonical(body))).decode()
    return {**body, "key": fingerprint(private.public_key()), "signature": signature}


def believed(public: Ed25519PublicKey, lines: Iterable[str]) -> list[Row]:
    """The heads of a file; ValueError when one was not signed with this key."""
    heads = [json.loads(line) for line in lines if line.strip()]
    for number, head in enumerate(heads, 1):
        try:
            public.verify(b64decode(head["signature"]), canonical({name: head[name] for name in SIGNED}))
        except (InvalidSignature, KeyError, ValueError) as wrong:
            raise ValueError(f"line {number} of the heads was not signed with this key") from wrong
    return heads


def standing(heads: Iterable[Row]) -> list[Row]:
    """The heads that still count: a signed restore takes back what was signed beyond it in the same clinic."""
    kept: list[Row] = []
    for head in heads:
        if head["restored"]:
            kept = [each for each in kept if each["clinic_id"] != head["clinic_id"] or each["seq"] <= head["seq"]]
        kept.append(head)
    return kept


# -- where trails come from ------------------------------------------------------------------------------------------


def of_database(path: Path) -> tuple[Iterator[Row], dict[str, End]]:
    """The rows and heads of an SQLite database, which is opened for reading only."""
    held = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    ends = {
        clinic: (seq, digest) for clinic, seq, digest in held.execute("SELECT clinic_id, seq, hash FROM audit_heads")
    }
    return _rows(held), ends


def _rows(held: sqlite3.Connection) -> Iterator[Row]:
    stored = ", ".join([*FIELDS[:-2], "recorded_at", "detail_sealed", "hash"])
    for row in held.execute(f"SELECT {stored} FROM audit_events ORDER BY clinic_id, seq"):  # noqa: S608  (names of ours)
        *values, at, sealed, digest = row
        told = {"recorded_at": _iso(str(at)), "detail": hashlib.sha256(sealed).hexdigest(), "hash": digest}
        yield {**dict(zip(FIELDS, values, strict=False)), **told}


def _iso(stored: str) -> str:
    moment, _, micro = stored.partition(".")
    return f"{moment.replace(' ', 'T')}.{micro or '0':0<6}+00:00"


def of_export(path: Path) -> tuple[Iterator[Row], dict[str, End]]:
    """The rows and heads of an export: a line a row, and a line {"head": …} a clinic."""
    ends: dict[str, End] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith('{"head":'):
                head = json.loads(line)["head"]
                ends[head["clinic_id"]] = (head["seq"], head["hash"])

    def rows() -> Iterator[Row]:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith('{"head":'):
                    yield json.loads(line)

    return rows(), ends


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("verifier", description="Check that an audit trail is whole, without the portal.")
    parser.add_argument("--keys", type=Path, required=True, help="the portal's key file")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--database", type=Path, help="an SQLite database, or a copy of one")
    source.add_argument("--export", type=Path, help="a file made by `portal audit export --format chain`")
    parser.add_argument("--heads", type=Path, help="heads that were signed earlier, kept elsewhere")
    parser.add_argument("--public", type=Path, help="the public key they were signed with (PEM)")
    given = parser.parse_args(words)
    try:
        key = audit_key(given.keys)
        rows, ends = of_database(given.database) if given.database else of_export(given.export)
        heads = _heads(given.heads, given.public)
        found = breaks(key, rows, ends, heads)
    except (OSError, ValueError, KeyError, sqlite3.Error) as problem:
        print(f"Cannot verify: {problem}", file=sys.stderr)
        return 2
    for each in found:
        print(f"{each.clinic_id}: broken at entry {each.seq}: {each.why}")
    for clinic in sorted(set(ends) - {each.clinic_id for each in found}):
        print(
            f"{clinic}: whole, {ends[clinic][0]} entries, {sum(head['clinic_id'] == clinic for head in heads)} signed heads"
        )
    return 1 if found else 0


def _heads(heads: Path | None, public: Path | None) -> list[Row]:
    if heads is None:
        return []
    if public is None:
        raise ValueError("--heads needs --public")
    key = load_pem_public_key(public.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the public key is not an Ed25519 key")
    return believed(key, heads.read_text().splitlines())


if __name__ == "__main__":
    sys.exit(main())
