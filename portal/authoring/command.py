"""The way in: words of the command line to an exit code; nothing but an exit code ever comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from portal.fhirpath import FhirPathError
from portal.questionnaire import FormRefused

from . import arguments, files, outcomes, writing
from .exits import FINE, PROBLEMS, UNREADABLE, CannotRead
from .forms import VERBS
from .path import evaluate

OURS = "This is a fault of the program, not of your files"


def questionnaire(words: Sequence[str]) -> int:
    """`portal questionnaire VERB …`"""
    return _guarded(lambda: _form_verb(words))


def fhirpath(words: Sequence[str]) -> int:
    """`portal fhirpath EXPRESSION FILE …`"""
    return _guarded(lambda: evaluate(arguments.fhirpath(words)))


def _form_verb(words: Sequence[str]) -> int:
    verb, given = arguments.questionnaire(words)
    return VERBS[verb](given)


def _guarded(run: Callable[[], int]) -> int:
    """Runs a command; whatever happens becomes an exit code and a sentence."""
    try:
        return run()
    except SystemExit:  # --help has been said
        return FINE
    except CannotRead as wrong:
        return _told(UNREADABLE, outcomes.unreadable(str(wrong)), str(wrong))
    except FormRefused as problem:
        return _told(PROBLEMS, outcomes.refused(problem))
    except FhirPathError as problem:
        return _told(PROBLEMS, outcomes.failed(problem))
    except BrokenPipeError:  # who was reading has seen enough
        return _unheard()
    except Exception as fault:
        words = f"{OURS} ({type(fault).__name__}). Please report it with the form."
        return _told(UNREADABLE, outcomes.broken(words), words)


def _told(code: int, outcome: files.Json, words: str = "") -> int:
    """The outcome as JSON, and its sentence for the person at the keyboard."""
    if words:
        writing.sentence(words)
    try:
        writing.line(outcome)
    except BrokenPipeError:
        _unheard()
    return code


def _unheard() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FINE
