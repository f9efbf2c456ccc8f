"""The list of what Previsit is made of, in CycloneDX 1.5: python -m portal.keeping.packages > previsit.cdx.json

It is read from the lock files, so that it says what `make setup` installs, with the hashes that are checked then.
"""

import json
import os
import re
import sys
import uuid
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYTHON, NODE = ROOT / "requirements.lock", ROOT / "package-lock.json"
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$")
HASHED = re.compile(r"--hash=sha256:([0-9a-f]{64})")
Json = dict[str, Any]


def bill(python: Path = PYTHON, node: Path = NODE) -> Json:
    """The whole list. The same lock files give the same serial number."""
    components = [*_of_python(python.read_text()), *(_of_node(json.loads(node.read_text())) if node.exists() else ())]
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": _moment().isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": "previsit",
                "name": "previsit",
                "version": metadata.version("previsit"),
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": "previsit", "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _moment() -> datetime:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(given), UTC) if given else datetime.now(UTC)


def _of_python(lock: str) -> Iterator[Json]:
    """One a pinned requirement, with every hash that the lock allows."""
    name, version, marker, hashes = "", "", None, list[str]()
    for line in [*lock.splitlines(), "end==0"]:
        found = PINNED.match(line)
        if found:
            if name:
                yield _component("pypi", name, version, [("SHA-256", each) for each in hashes], marker)
            name, version, marker, hashes = found[1], found[2], found[3], []
        hashes += HASHED.findall(line)


def _of_node(lock: Json) -> Iterator[Json]:
    for place, held in lock["packages"].items():
        if place.startswith("node_modules/"):
            kind, _, digest = held.get("integrity", "").partition("-")
            name = place.rpartition("node_modules/")[2]
            hashes = [("SHA-512", b64decode(digest).hex())] if kind == "sha512" else []
            yield _component("npm", name, held["version"], hashes, None)


def _component(kind: str, name: str, version: str, hashes: list[tuple[str, str]], marker: str | None) -> Json:
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    made: Json = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "scope": "required" if marker is None else "optional",
        "hashes": [{"alg": alg, "content": content} for alg, content in hashes],
    }
    licence = _licence(name) if kind == "pypi" else None
    if licence:
        made["licenses"] = [{"expression": licence}]
    if marker:
        made["properties"] = [{"name": "previsit:marker", "value": marker}]
    return made


def _licence(name: str) -> str | None:
    """The SPDX expression that the installed package declares; none where it declares none in that way."""
    try:
        return next(iter(metadata.metadata(name).get_all("License-Expression") or ()), None)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    sys.stdout.write("\n")
