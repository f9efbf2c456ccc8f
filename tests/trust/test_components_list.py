"""The list of components says what the lock files say, in the shape that CycloneDX 1.5 wants."""

from __future__ import annotations

import json
import re
from importlib import metadata

import pytest

from portal.keeping import packages


@pytest.fixture(scope="module")
def bill() -> packages.Json:
    return packages.bill()


def test_every_locked_package_stands_in_the_list_with_its_hashes(bill: packages.Json) -> None:
    lock = packages.PYTHON.read_text()
    pinned = set(re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;\\]+)", lock, re.MULTILINE))
    listed = {(each["name"], each["version"]) for each in bill["components"] if each["purl"].startswith("pkg:pypi/")}
    assert listed == pinned and len(pinned) > 30
    told = sorted(each["content"] for one in bill["components"] for each in one["hashes"] if each["alg"] == "SHA-256")
    assert told == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))
    node = json.loads(packages.NODE.read_text())["packages"]
    assert sum(each["purl"].startswith("pkg:npm/") for each in bill["components"]) == len(node) - 1


def test_what_is_installed_is_what_is_listed(bill: packages.Json) -> None:
    for each in bill["components"]:
        if each["purl"].startswith("pkg:pypi/") and each["scope"] == "required":
            assert metadata.version(each["name"]) == each["version"], each["name"]


def test_it_has_the_shape_of_cyclonedx(bill: packages.Json) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    refs = [each["bom-ref"] for each in bill["components"]]
    assert len(refs) == len(set(refs)) and set(bill["dependencies"][0]["dependsOn"]) == set(refs)
    lengths = {"SHA-256": 64, "SHA-512": 128}
    for each in bill["components"]:
        assert each["type"] == "library" and each["scope"] in {"required", "optional"} and each["hashes"]
        assert each["purl"].endswith(f"@{each['version']}")
        assert all(len(digest["content"]) == lengths[digest["alg"]] for digest in each["hashes"])


def test_the_same_lock_is_the_same_list(bill: packages.Json) -> None:
    assert packages.bill()["serialNumber"] == bill["serialNumber"]
