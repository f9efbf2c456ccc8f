"""What is guessed first: common words and names, their spellings with digits and signs, runs of keys; written down, not copied.

The words are our own list (common_words.txt) and Babel's names of months, days, countries and languages in the
languages of our pages. A new password is taken apart into such words, runs and digits: what is left over, and how many of
them there are, decides. So one line here stands for every case, ending, doubling and reversal of a word, where a list of
passwords has one line for each.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from babel import Locale

LANGUAGES = ("en", "es")
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "147258369",
    "159753",
    "741852963",
)
LEET = str.maketrans("430157$@!|89", "aeoistsaiibg")
FREE, WORDS_ENOUGH, LETTERS_ENOUGH, RUN = 4, 3, 5, 3
COMMON = frozenset((Path(__file__).with_name("common_words.txt")).read_text().split())


def guessable(text: str, context: Iterable[str] = ()) -> bool:
    """Whether this (case-folded) text is among what is guessed first; `context` are words that belong to the person.

    "Summer2026!", "p4ssw0rd-p4ssw0rd", "qwertyuiop123456" and a name with a birthday are; three words that have
    nothing to do with each other are not.
    """
    own = {word for word in context if len(word) > 2}
    if len(set(text) - set(" -_.")) < LETTERS_ENOUGH or _is_repeated(text):
        return True
    spellings = (text, text.translate(LEET), text[::-1], text.translate(LEET)[::-1])
    return any(_is_little(spelling, own) for spelling in spellings)


def size() -> int:
    """How many words there are, before any spelling of them."""
    return len(_words())


def _is_repeated(text: str) -> bool:
    """abcdabcdabcd: the same few letters again and again."""
    return (text + text).find(text, 1) <= max(len(text) // 2, 1)


def _is_little(text: str, own: set[str]) -> bool:
    """Little is left when known words, runs of keys and digits are taken away, and there were few of them."""
    place, free, words = 0, 0, set[str]()
    while place < len(text):
        word = _word_at(text, place, own)
        run = _run_at(text, place)
        if len(word) >= max(run, RUN):
            words |= {word} - own
            place += len(word)
        elif run >= RUN or not text[place].isalpha():
            place += max(run, 1)
        else:
            free += 1
            place += 1
    return free < FREE and len(words) < WORDS_ENOUGH


def _word_at(text: str, place: int, own: set[str]) -> str:
    known, longest = _words(), min(_longest(), len(text) - place)
    mine = max((word for word in own if text.startswith(word, place)), key=len, default="")
    common = next((text[place : place + n] for n in range(longest, 2, -1) if text[place : place + n] in known), "")
    return mine if len(mine) >= len(common) else common


def _run_at(text: str, place: int) -> int:
    """How many letters from here are the same few again and again (at least thrice), or keys in a row, either way."""
    again = (_again(text, place, period) for period in range(1, 5))
    return max([1, *again, *(_along(row, text, place) for row in (*ROWS, *(row[::-1] for row in ROWS)))])


def _again(text: str, place: int, period: int) -> int:
    end = place + period
    while end < len(text) and text[end] == text[end - period]:
        end += 1
    return end - place if end - place >= 3 * period else 1


def _along(row: str, text: str, place: int) -> int:
    at, length = row.find(text[place]), 0
    while (
        at >= 0 and at + length < len(row) and place + length < len(text) and text[place + length] == row[at + length]
    ):
        length += 1
    return length


@lru_cache
def _words() -> frozenset[str]:
    named = {_plain(name) for language in LANGUAGES for name in _names(Locale(language))}
    return COMMON | {name for name in named if len(name) > 3 and name.isalpha()}


@lru_cache
def _longest() -> int:
    return max(map(len, _words()))


def _names(locale: Locale) -> list[str]:
    times = [*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()]
    return [str(name) for name in (*times, *locale.territories.values(), *locale.languages.values())]


def _plain(name: str) -> str:
    return "".join(name.casefold().split())
