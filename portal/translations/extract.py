"""Collects every text a patient may read, brings the catalogues up to date and compiles them: `python -m portal.translations.extract`."""

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
Found = tuple[int, str, str | tuple[str, str], list[str]]

# call -> the places of its arguments that are texts
CALLS: dict[str, tuple[int, ...]] = {
    "_": (0,),
    "gettext": (0,),
    "lazy_gettext": (0,),
    "say": (0,),
    "words": (0,),
    "Issue": (2,),
    "Task": (1,),
    "NotFound": (0,),
    "NotAllowed": (0,),
    "Conflict": (0,),
    "Gone": (0,),
    "TooLarge": (0,),
    "TooMany": (0,),
    "Busy": (0,),
    "NotProven": (0,),
}
# a named part of a call or a class that is a text
FIELDS = frozenset(
    {
        "title", "sentence", "intro", "answers", "add_title", "none_title", "none_question", "could_not_look",
        "any_yes", "any_none", "dated",
    }
)  # fmt: skip
# tables: what stands in them as a value is a text (in a row, every text of the row)
TABLES: dict[str, frozenset[str]] = {
    "portal/pages.py": frozenset({"ROLE_NAMES"}),
    "portal/problems.py": frozenset({"WORDS", "TOO_LONG_OPEN", "SIGNED_OUT", "OTHER_SIGN_IN", "NOT_NOW"}),
    "portal/accounts/routes.py": frozenset({"ABOUT", "WRONG_PROOF", "WRONG_AGAIN"}),
    "portal/accounts/notes.py": frozenset({"WORDS"}),
    "portal/accounts/service.py": frozenset({"IN_USE"}),
    "portal/accounts/overview.py": frozenset({"HOW", "ENDED"}),
    "portal/accounts/renewing.py": frozenset({"WRONG", "WRONG_WITH_DAY"}),
    "portal/accounts/security_routes.py": frozenset({"WRONG_FIRST_CODE", "NOT_MADE", "NOT_YOU"}),
    "portal/accounts/way_in_routes.py": frozenset({"WRONG_CODE"}),
    "portal/components/fields.py": frozenset({"COUNTED"}),
    "portal/audit/events.py": frozenset({"PLAIN"}),
    "portal/intake/told.py": frozenset({"STEPS", "FOR_THEM", "READ", "UNTIED"}),
    "portal/intake/visits.py": frozenset({"CLOSED"}),
    "portal/questionnaire/issues.py": frozenset({"MESSAGES"}),
    "portal/ehr/reading.py": frozenset({"WORDS"}),
    "portal/ehr/launches.py": frozenset({"DECLINED", "LOST"}),
    "portal/fhir/codes.py": frozenset({"CRITICALITY", "SEVERITY"}),
    "portal/fhir/dosage.py": frozenset({"UNITS", "TIMES", "WHEN", "DAYS", "CODES"}),
    "portal/fhir/values.py": frozenset({"TELECOM"}),
}
APART = frozenset(
    {
        "portal/ehr/errors.py",
        "portal/ehr/launch_errors.py",
        "portal/ehr/launches.py",
        "portal/components/",
        "portal/errors.py",
        "portal/intake/",
        "portal/accounts/",
        "portal/consent/",
    }
)
"""Where `title`, `sentence` and the like are words for a reader."""
NO_TEXT = frozenset({"%(text)s", ""})


def words(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """Babel's extraction method for Python: texts in calls, in fields and in the tables named above."""
    path = Path(file.name).resolve()
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else file.name
    for node in ast.walk(ast.parse(file.read())):
        for text in texts(node, name):
            if text not in NO_TEXT:
                yield getattr(node, "lineno", 0), "gettext", text, []


def pages(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Babel's extraction method for templates; a page of the staff has no text for a patient."""
    if b'{% extends "staff.html" %}' not in file.read():
        file.seek(0)
        yield from babel_extract(file, keywords, comment_tags, options)


def texts(node: ast.AST, name: str) -> Iterator[str]:
    """The texts that this one piece of source holds itself."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for place in CALLS.get(called, ()):
            if place < len(node.args) and not (called == "Issue" and name.startswith("portal/questionnaire/")):
                yield from constants(node.args[place])
        if name.startswith("portal/intake/") and called in ("Field", "Page"):
            yield from (
                text for given in node.args[1:3] for text in constants(given) if isinstance(given, ast.Constant)
            )
        if called == "Section":
            for given in node.keywords:
                yield from constants(given.value) if given.arg in FIELDS else ()
    elif isinstance(node, ast.ClassDef):
        for line in node.body:
            yield from _assigned(line, FIELDS) if any(name.startswith(each) for each in APART) else ()
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from _assigned(node, TABLES.get(name, frozenset()))


def _assigned(line: ast.stmt, wanted: frozenset[str]) -> Iterator[str]:
    targets = line.targets if isinstance(line, ast.Assign) else [line.target] if isinstance(line, ast.AnnAssign) else []
    value = line.value if isinstance(line, ast.Assign | ast.AnnAssign) else None
    if value is not None and any(isinstance(target, ast.Name) and target.id in wanted for target in targets):
        yield from constants(value)


def constants(node: ast.expr) -> Iterator[str]:
    """The texts of an expression: itself, either side of a choice, the values of a table."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from constants(value)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for value in node.elts:
            yield from constants(value)
    elif isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from constants(value)


def found() -> Catalog:
    """Every text of the sources, as a template."""
    catalog = Catalog(project="Previsit", version="0.1.0", fuzzy=False)
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    for path, _line, message, comments, context in extract_from_dir(ROOT, methods, options, directory_filter=_ours):
        catalog.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    return catalog


def _ours(folder: str | Any) -> bool:
    inside = Path(folder).resolve().relative_to(ROOT).parts
    return not inside or inside[0] in ("portal", "templates")


def written(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def languages() -> list[str]:
    return sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))


def brought_up_to_date(language: str) -> Catalog:
    """The catalogue with what is new (empty) and without what is no longer said."""
    catalog = written(language)
    catalog.update(found(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def main() -> int:
    """Write .po and .mo of every language; 1 when a text has no translation."""
    open_texts = 0
    for language in languages():
        catalog = brought_up_to_date(language)
        to = FOLDER / language / "LC_MESSAGES" / "messages.po"
        with to.open("wb") as file:
            write_po(file, catalog, width=0, sort_output=True, include_lineno=False, include_previous=False)
        compiled = BytesIO()
        write_mo(compiled, catalog)
        to.with_suffix(".mo").write_bytes(compiled.getvalue())
        missing = untranslated(catalog)
        open_texts += len(missing)
        for text in missing:
            print(f"{language}: {text!r}")
    return 1 if open_texts else 0


def untranslated(catalog: Catalog) -> list[str]:
    """The texts of a catalogue that lack words, or the words of one plural form."""
    every = [(message.id, message.string) for message in catalog if message.id]
    return [str(text) for text, said in every if not (said if isinstance(said, str) else said and all(said))]


if __name__ == "__main__":
    sys.exit(main())
