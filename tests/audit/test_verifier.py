"""The verifier stands alone, believes what is whole, and finds every change, also those that only signed heads can tell."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import db
from portal.actors import system
from portal.audit import exporting, signing, verifier
from portal.audit import service as audit
from portal.audit.events import Event
from portal.db import transaction
from portal.errors import Misconfigured
from tests import make
from tests.audit import mutations


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mutations.Trail]:
    yield mutations.grow(tmp_path_factory.mktemp("trail"), 15)
    db.dispose()


def test_a_whole_trail_is_whole_with_and_without_heads(trail: mutations.Trail) -> None:
    assert (trail.verify(), trail.verify(heads=False)) == (0, 0)


def test_every_mutation_is_found(trail: mutations.Trail) -> None:
    """`make tamper` tries a thousand."""
    done, missed = mutations.tried(trail, 66, 20261122)
    assert len(done) == 11 and missed == []


def test_some_changes_only_the_signed_heads_can_tell(trail: mutations.Trail) -> None:
    """So the checks above are not for nothing: without heads these trails are true in themselves."""
    assert trail.verify(trail.earlier, heads=False) == 0
    assert trail.verify(trail.earlier) == 1


def test_it_is_one_file_without_the_portal(trail: mutations.Trail, tmp_path: Path) -> None:
    source = Path(verifier.__file__)
    names = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source.read_text()))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert names - set(sys.stdlib_module_names) == {"cryptography"}
    alone = Path(shutil.copy(source, tmp_path / "verifier.py"))
    words = [
        "--keys",
        trail.keys,
        "--database",
        trail.database,
        "--heads",
        trail.place.heads,
        "--public",
        trail.place.public,
    ]
    done = subprocess.run(
        [sys.executable, "-I", alone, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and done.stdout.count("whole") == 2, done.stderr


def test_heads_that_somebody_else_signed_are_not_believed(trail: mutations.Trail, tmp_path: Path) -> None:
    forged = signing.Place(tmp_path / "key.pem", tmp_path / "heads.ndjson")
    with pytest.raises(FileNotFoundError):
        forged.public.read_bytes()
    signing._make(forged)
    lines = trail.place.heads.read_text()
    words = ["--keys", str(trail.keys), "--database", str(trail.database)]
    assert verifier.main([*words, "--heads", str(trail.place.heads), "--public", str(forged.public)]) == 2
    forged.heads.write_text(lines.replace('"seq":', '"seq": 1'))
    assert verifier.main([*words, "--heads", str(forged.heads), "--public", str(trail.place.public)]) == 2
    assert verifier.main([*words, "--heads", str(forged.heads)]) == 2
    assert verifier.main(["--keys", str(tmp_path / "none"), "--database", str(trail.database)]) == 2


def test_an_export_verifies_as_the_database_does(app: object, tmp_path: Path) -> None:
    """Also of PostgreSQL, which the verifier does not read by itself."""
    clinic = make.clinic(forms=())
    make.patient_account(make.patient(clinic))
    lines = [exporting.line(each) for each in exporting.bare(system(clinic.id))]
    whole = tmp_path / "trail.ndjson"
    keys, found = tmp_path / "keys.json", db.keys()
    assert keys.exists() and found
    words = ["--keys", str(keys), "--export", str(whole)]
    whole.write_text("".join(lines))
    assert verifier.main(words) == 0
    for tampered in (lines[1:], lines[:-2] + lines[-1:], lines[:-1], [lines[1], lines[0], *lines[2:]]):
        whole.write_text("".join(tampered))
        assert verifier.main(words) == 1


def test_heads_are_signed_when_they_moved_and_only_then(app: object, tmp_path: Path) -> None:
    place = signing.Place(tmp_path / "audit" / "key.pem", tmp_path / "elsewhere" / "heads.ndjson")
    clinic = make.clinic(forms=())
    make.patient_account(make.patient(clinic))
    assert len(signing.sign(place)) == 1
    assert signing.sign(place) == []
    with transaction():
        audit.record(system(clinic.id), Event.SUBMITTED, subject="submissions:x")
    [line] = signing.sign(place)
    assert line["seq"] > 1 and len(signing.heads(place)) == 2
    assert audit.breaks(signing.heads(place)) == []
    assert place.key.stat().st_mode & 0o777 == 0o600


def test_a_signing_key_that_cannot_serve_says_what_to_do(app: object, tmp_path: Path) -> None:
    place = signing.Place(tmp_path / "key.pem", tmp_path / "heads.ndjson")
    place.key.write_text("not a key")
    place.key.chmod(0o600)
    with pytest.raises(Misconfigured, match="cannot be read"):
        signing.sign(place)
    place.key.chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        signing.sign(place)
