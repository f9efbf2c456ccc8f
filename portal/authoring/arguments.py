"""What each command takes: tables of positional arguments and options, and a parser that says what is wrong in one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from .exits import CannotRead

Arguments = argparse.Namespace
Option = tuple[str, dict[str, object]]

FORM: Option = ("files", {"nargs": "+", "metavar": "FORM…"})
FORM_AND_RESPONSE: Option = ("files", {"nargs": "+", "metavar": "FORM… RESPONSE"})
WHICH: Option = (
    "--form",
    {"default": "", "metavar": "URL", "help": "which form, where several are given (url, url|version or id)"},
)
NOW: Option = (
    "--now",
    {"default": "", "metavar": "ISO", "help": "the time it is taken to be, like 2026-03-27T14:30:00Z"},
)
LANG: Option = ("--lang", {"default": "", "metavar": "LANGUAGE", "help": "the language of texts and messages"})
CONTEXT: Option = (
    "--context",
    {
        "action": "append",
        "default": [],
        "metavar": "[NAME=]FILE",
        "help": "a resource or Bundle for %%NAME (a plain resource is called by its type: patient), or Parameters",
    },
)
DATA: Option = (
    "--data",
    {
        "action": "append",
        "default": [],
        "metavar": "FILE|FOLDER",
        "help": "records that queries and references are answered from",
    },
)
IDENTITY: Option = (
    "--identity",
    {"default": "", "help": "a name of the response that stays when it is amended (else its identifier or id)"},
)
ORIGINS: Option = ("--origins", {"action": "store_true", "help": "note on each answer where it came from"})

FORMS_TEXT = (
    "A form is a JSON or XML file (- reads standard input); "
    "its value sets and modules come along in a Bundle, as files or in a folder."
)
# verb: (what it does, its arguments)
QUESTIONNAIRE: dict[str, tuple[str, tuple[Option, ...]]] = {
    "check": ("one JSON line a form: whether it can be used, and what is not honoured", (FORM,)),
    "validate": (
        "an OperationOutcome: is the response a response to this form",
        (FORM_AND_RESPONSE, WHICH, CONTEXT, DATA, NOW, LANG),
    ),
    "populate": (
        "a QuestionnaireResponse filled in from what is known",
        (("files", {"nargs": "+", "metavar": "FORM… PARAMETERS"}), WHICH, CONTEXT, DATA, NOW, LANG, ORIGINS),
    ),
    "extract": (
        "a transaction Bundle of what the response says",
        (FORM_AND_RESPONSE, WHICH, CONTEXT, DATA, IDENTITY, NOW),
    ),
    "assemble": ("one Questionnaire out of a form and its modules", (FORM, WHICH)),
    "score": ("calculated values and scores", (FORM_AND_RESPONSE, WHICH, CONTEXT, DATA, NOW, LANG)),
}
FHIRPATH: tuple[Option, ...] = (
    ("expression", {"metavar": "EXPRESSION"}),
    ("file", {"metavar": "FILE"}),
    (
        "--env",
        {"action": "append", "default": [], "metavar": "NAME=FILE|VALUE", "help": "%%NAME: a JSON file, or a value"},
    ),
    ("--r4", {"action": "store_true", "help": "by the types of FHIR R4, not as plain JSON"}),
    NOW,
)


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is a CannotRead."""

    def error(self, message: str) -> NoReturn:
        raise CannotRead(f"{self.prog}: {message}. Try {self.prog} --help.")


def questionnaire(words: Sequence[str]) -> tuple[str, Arguments]:
    """The verb and its arguments. Raises CannotRead."""
    if not words or words[0] not in QUESTIONNAIRE:
        _overview().parse_args([word for word in words if word in ("-h", "--help")])
        said = f"{words[0]!r} is not a command" if words else "a command is missing"
        raise CannotRead(f"portal questionnaire: {said}. Commands: {', '.join(QUESTIONNAIRE)}.")
    text, options = QUESTIONNAIRE[words[0]]
    return words[0], _made(f"portal questionnaire {words[0]}", text, options).parse_intermixed_args(list(words[1:]))


def fhirpath(words: Sequence[str]) -> Arguments:
    """Raises CannotRead. An expression may begin with a minus sign."""
    known = ("--env", "--r4", "--now", "--help", "-h", "--", "-")
    shielded = [word if word.partition("=")[0] in known or word[:1] != "-" else f" {word}" for word in words]
    parser = _made("portal fhirpath", "a JSON array of what the expression gives", FHIRPATH)
    return parser.parse_intermixed_args(shielded)


def _overview() -> Parser:
    lines = "\n".join(f"  {verb:9} {text}" for verb, (text, _) in QUESTIONNAIRE.items())
    return Parser(
        "portal questionnaire",
        usage="portal questionnaire COMMAND …",
        description=f"commands:\n{lines}",
        epilog=FORMS_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _made(prog: str, text: str, options: tuple[Option, ...]) -> Parser:
    taken = " ".join(str(more["metavar"]) for name, more in options if name[:1] != "-")
    parser = Parser(
        prog,
        usage=f"{prog} {taken} [options]",
        description=text,
        epilog=None if prog.endswith("fhirpath") else FORMS_TEXT,
        allow_abbrev=False,
    )
    for name, more in options:
        parser.add_argument(name, **more)  # type: ignore[arg-type]
    return parser
