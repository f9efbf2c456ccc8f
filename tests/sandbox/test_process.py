"""The clinic as a process of its own, started by its command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.ports import free_port
from tests.sandbox_server import client_key, running_sandbox


def started(port: int, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "portal.sandbox", "--port", str(port), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(150):
        assert process.poll() is None, process.communicate(timeout=10)
        try:
            requests.get(url, timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the clinic did not start in 15 seconds")


def test_it_starts_answers_and_stops_and_a_second_start_keeps_its_data(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        process = started(port, "--data", str(tmp_path))
        try:
            wait_for(f"http://127.0.0.1:{port}/fhir/metadata", process)
            page = requests.get(f"http://127.0.0.1:{port}/", timeout=5).text
            assert page.count("<li>") == 14
            memory = Path(f"/proc/{process.pid}/status")
            if memory.exists():
                resident = next(line for line in memory.read_text().splitlines() if line.startswith("VmRSS"))
                assert int(resident.split()[1]) < 150_000
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
            process.communicate(timeout=10)


def test_it_can_start_broken_and_be_mended(tmp_path: Path) -> None:
    port = free_port()
    process = started(port, "--data", str(tmp_path), "--fault", "unavailable")
    try:
        wait_for(f"http://127.0.0.1:{port}/$fault", process)
        assert requests.get(f"http://127.0.0.1:{port}/fhir/metadata", timeout=5).status_code == 503
        requests.post(f"http://127.0.0.1:{port}/$fault", json={"mode": "none"}, timeout=5).raise_for_status()
        assert requests.get(f"http://127.0.0.1:{port}/fhir/metadata", timeout=5).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("content", ["{", "[]", '{"keys": 1}'])
def test_a_file_of_keys_that_is_none_stops_it_with_a_sentence(tmp_path: Path, content: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content)
    process = started(free_port(), "--data", str(tmp_path), "--client-jwks", str(keys))
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert said.startswith("The sandbox clinic cannot start: ")
    assert "Traceback" not in said


def test_a_busy_port_stops_it_with_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    first = started(port, "--data", str(tmp_path))
    try:
        wait_for(f"http://127.0.0.1:{port}/fhir/metadata", first)
        second = started(port, "--data", str(tmp_path / "other"))
        _, said = second.communicate(timeout=20)
        assert (second.returncode, f"port {port}" in said) == (2, True)
    finally:
        first.terminate()
        first.communicate(timeout=10)


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    port = free_port()
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [client_key().as_dict(private=False)]}))
    with running_sandbox(tmp_path / "unused", seed=False) as other:
        process = started(port, "--data", str(tmp_path), "--client-jwks", str(keys), "--client-id", other.client_id)
        wait_for(f"http://127.0.0.1:{port}/fhir/metadata", process)
        form = {
            "grant_type": "client_credentials",
            "scope": "system/*.cruds",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": other.assertion(aud=f"http://127.0.0.1:{port}/token"),
        }
        token = requests.post(f"http://127.0.0.1:{port}/token", data=form, timeout=5).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        url = f"http://127.0.0.1:{port}/fhir/Patient/kept"
        body = {"resourceType": "Patient", "id": "kept", "gender": "male"}
        assert requests.put(url, json=body, headers=headers, timeout=5).status_code == 201
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        again = started(port, "--data", str(tmp_path))
        try:
            wait_for(f"http://127.0.0.1:{port}/fhir/metadata", again)
            assert requests.get(url, headers=headers, timeout=5).json()["gender"] == "male"
        finally:
            again.terminate()
            again.communicate(timeout=10)
