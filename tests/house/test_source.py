"""Rules over the text of the house: what may be written where, and how large it may grow."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from portal.settings import ROOT

PRODUCT = sorted((ROOT / "portal").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.read_text().strip())
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.html"))
WEB = {
    "routes.py",
    "launch_routes.py",
    "way_in_routes.py",
    "security_routes.py",
    "staffing_routes.py",
    "signing_routes.py",
    "asking_routes.py",
    "card_routes.py",
    "proxy_routes.py",
    "proxy_forms.py",
    "desk_routes.py",
    "changing_routes.py",
    "tie_routes.py",
    "match_page.py",
    "preview_routes.py",
    "forms.py",
    "page_form.py",
    "posted.py",
    "framed.py",
    "fields.py",
    "guard.py",
    "pages.py",
    "problems.py",
    "languages.py",
    "app.py",
    "serving.py",
    "files.py",
    "downloads.py",
}
"""Files that speak HTTP (or take an upload); the rest runs without a request. `sandbox` is another server."""
MAKES_MARKUP = {"portal/components", "portal/labs/chart.py", "portal/pages.py"}
"""Where HTML is put together: the components and the chart (each value escaped), and translations (our words, each value escaped)."""
LONG = {
    "tests/journeys/conftest.py": "the walker and everything around a journey",
    "portal/intake/fields.py": "a table: one field for each kind of control",
    "portal/questionnaire/filling.py": "one form as one person fills it: its verbs share one state",
    "tests/ehr/test_smart_rows.py": "a table: one row of the SMART client matrix after the other",
    "tests/ehr/test_readings.py": "a table of states of a reading",
    "tests/review/test_proposals.py": "a table of what is said × what the record says",
    "tests/review/test_service.py": "a table of what the desk may do in each state",
    "tests/delivery/test_sender.py": "a table of answers × what is done then",
}
MOST_LINES = 350
STEPS = ROOT / "portal" / "migrations" / "versions"
"""Written by a program, read by a database."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def in_place(path: Path, places: set[str]) -> bool:
    return any(name(path) == place or name(path).startswith(f"{place}/") for place in places)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]


@cache
def imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return frozenset(found)


FORBIDDEN_CALLS = re.compile(
    r"^(eval|exec|os\.(system|popen)|subprocess\.(getoutput|getstatusoutput)|render_template_string|yaml\.load|__import__"
    r"|(\w+\.)?(Environment|from_string))$"
)
FORBIDDEN_IMPORTS = {
    "pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "telnetlib",
    "xml.etree",
    "xml.dom",
    "xml.sax",
    "lxml",
}


def test_nothing_that_was_typed_can_be_run() -> None:
    own_environment = {"portal/components/library.py"}
    found = []
    for path in PRODUCT:
        for called, call in calls(path):
            shell = [key for key in call.keywords if key.arg == "shell" and ast.unparse(key.value) != "False"]
            if shell or (FORBIDDEN_CALLS.match(called) and not in_place(path, own_environment)):
                found.append(f"{name(path)}:{call.lineno}: {called}")
        brought = imports(path)
        found += [f"{name(path)}: {one}" for one in brought if {one, one.split(".")[0]} & FORBIDDEN_IMPORTS]
    assert not found


def test_html_is_put_together_in_the_named_places_only() -> None:
    assert not [
        f"{name(path)}:{call.lineno}"
        for path in PRODUCT
        if not in_place(path, MAKES_MARKUP)
        for called, call in calls(path)
        if called.split(".")[-1] in {"Markup", "mark_safe", "do_mark_safe"}
    ]


def test_sql_is_never_put_together_from_text() -> None:
    assert not [
        f"{name(path)}:{call.lineno}: {ast.unparse(call)}"
        for path in PRODUCT
        for called, call in calls(path)
        if called in {"text", "sa.text", "connection.exec_driver_sql"}
        and call.args
        and isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
    ]


def test_only_what_speaks_http_knows_the_web() -> None:
    web = {"flask", "flask_wtf", "flask_login", "wtforms", "werkzeug"}
    assert not [
        f"{name(path)} imports {one}"
        for path in PRODUCT
        if not {"components", "sandbox"} & set(path.parts)
        if path.name not in WEB and name(path) != "portal/__init__.py"
        for one in imports(path)
        if one.split(".")[0] in web
    ]


def test_a_module_opens_with_one_line_that_says_what_it_is_for() -> None:
    silent = []
    for path in PRODUCT + TESTS:
        said = ast.get_docstring(tree(path)) or ""
        may_be_silent = path.name == "__init__.py" and "tests" in path.parts and not said
        if len(said.partition("\n")[0]) <= 15 and not may_be_silent:
            silent.append(name(path))
    assert not silent


def test_no_folder_or_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc", "base"}
    assert not [name(path) for path in PRODUCT if set(Path(name(path)).with_suffix("").parts) & drawers]


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_extends_the_page_and_escapes_everything(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", source), "nothing is passed through unescaped"
    bare = re.sub(r"\{#.*?#\}", "", source, flags=re.S).strip()
    extends = bare.startswith(("{% extends", "{%- extends"))
    is_of_macros = bool(re.match(r"\{%-?\s*(macro|from|import|set)", bare))
    assert path.name == "base.html" or extends or (is_of_macros and "<html" not in bare)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_a_template_holds_no_style_no_script_and_no_other_site(path: Path) -> None:
    markup = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", path.read_text(), flags=re.S)
    assert not re.search(r"<style|\sstyle\s*=|javascript:|<iframe|<object|<embed|<base\b", markup, re.I)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", markup, re.I), "an inline handler"
    assert not re.search(r"(src|href|action|poster|data)\s*=\s*[\"']?(https?:)?//", markup, re.I), "another site"
    scripts = re.findall(r"<script\b[^>]*>(.*?)</script>", markup, re.I | re.S)
    assert not any(script.strip() for script in scripts), "an inline script"
    assert not scripts or path.name in ("base.html", "staff.html")


def ours() -> list[Path]:
    """Every text file of ours that is kept."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git checkout, so nobody can say which files are kept")
    named = [ROOT / each for each in listed.stdout.decode().split("\0") if each]
    return [path for path in named if path.is_file() and path.suffix not in {".png", ".jpg", ".svg", ".woff2", ".ico"}]


def test_nothing_kept_names_a_machine_a_registry_or_a_secret() -> None:
    """`.ci/run` may look whether the corpus lies beside the checkout, as README says; a lock file may name its hashes only."""
    own = re.compile(
        r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/|registry\.npmjs|files\.pythonhosted|pypi\.org/simple|--index-url"
        r"|BEGIN (RSA |EC )?PRIVATE KEY"
    )
    beside = re.compile(r"\.\./shared")
    for path in ours():
        if path == Path(__file__):
            continue
        content = path.read_text(errors="replace")
        found = own.search(content) or (beside.search(content) if name(path) != ".ci/run" else None)
        assert not found, f"{name(path)}: {found.group(0)}"


def functions(path: Path) -> Iterator[int]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_grows_beyond_what_one_reads_at_once() -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in PRODUCT + TESTS if STEPS not in path.parents}
    assert not {each: lines for each, lines in long.items() if lines > MOST_LINES and each not in LONG}
    gone = {each for each in LONG if long.get(each, 0) <= MOST_LINES - 50}
    assert not gone, f"these no longer need an exception: {gone}"


def test_files_and_functions_stay_as_small_as_the_houses_we_learnt_from(capsys: pytest.CaptureFixture[str]) -> None:
    files = [len(path.read_text().splitlines()) for path in PRODUCT if STEPS not in path.parents]
    lengths = [lines for path in PRODUCT if STEPS not in path.parents for lines in functions(path)]
    with capsys.disabled():
        print(
            f"\nThe house: {len(files)} files, {sum(files)} lines, median {statistics.median(files):.0f} a file; "
            f"{len(lengths)} functions, median {statistics.median(lengths):.0f} lines; tests: {len(TESTS)} files"
        )
    assert 36 <= statistics.median(files) <= 120
    assert statistics.median(lengths) <= 9
