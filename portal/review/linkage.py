"""Files of people or pairs with known truth, as pairs to compare: FEBRL, MIIS text, and JSON lines."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from portal.errors import Unreadable
from portal.fhir.resources import Json
from portal.review.identity import Identity, of_patient, of_person


@dataclass(frozen=True)
class Pair:
    """Two people and, where the file knows, the truth: match, possible or different. Not `compared`: they have nothing in
    common by which the one would have been found for the other."""

    name: str
    one: Identity
    other: Identity
    truth: str | None = None
    compared: bool = True


def pairs(*paths: Path) -> Iterator[Pair]:
    """The pairs of a file (or of several FEBRL files together), told by its ending and first line. Raises Unreadable."""
    texts = [path.read_text(encoding="utf-8-sig") for path in paths]
    if len(texts) > 1:
        if not all(_is_febrl(path, text) for path, text in zip(paths, texts, strict=True)):
            raise Unreadable("Only FEBRL files can be compared with each other.")
        return of_people({name: each for text in texts for name, each in febrl_people(text).items()})
    path, text = paths[0], texts[0]
    reader = next((read for told, read in READERS if told(path, text)), None)
    if reader is None:
        raise Unreadable(
            "This file is neither FEBRL (.csv with rec_id), nor MIIS pairs (TEST/EXPECT/PATIENT), nor JSON lines."
        )
    return reader(text)


def febrl_people(text: str) -> dict[str, Identity]:
    """FEBRL records by rec_id; the social security number counts as an identifier."""
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    return {row["rec_id"].strip(): of_person(_febrl_person(row)) for row in rows}


def _febrl_person(row: dict[str, str]) -> dict[str, str | None]:
    value = {name: (held or "").strip() for name, held in row.items() if name}
    return {
        "given": value["given_name"],
        "family": value["surname"],
        "birthDate": value["date_of_birth"],
        "street": f"{value['street_number']} {value['address_1']}",
        "postalCode": value["postcode"],
        "identifier": f"ssn|{value['soc_sec_id']}",
    }


def blocked(people: dict[str, Identity]) -> Iterator[tuple[str, str]]:
    """Pairs worth comparing: those that share a birth date, an identifier, a whole name, a line of their address, or one name
    and the postal code or the year of birth."""
    blocks: defaultdict[object, list[str]] = defaultdict(list)
    for name, person in people.items():
        for key in _blocks(person):
            blocks[key].append(name)
    seen: set[tuple[str, str]] = set()
    for members in blocks.values():
        for pair in combinations(sorted(set(members)), 2):
            if pair not in seen:
                seen.add(pair)
                yield pair


def _blocks(person: Identity) -> Iterator[object]:
    yield from (("birth", person.birth_date),) if person.birth_date else ()
    yield from (("identifier", each) for each in person.identifiers)
    for name in person.names:
        yield "name", frozenset(name.words)
        for word in (*name.given[:1], "".join(name.family)):
            yield from (("place", word, each) for each in person.postal_codes if word)
            yield from (("year", word, person.birth_date[:4]),) if word and person.birth_date else ()
    yield from (("street", each) for each in person.streets if " " in each)


def _febrl(text: str) -> Iterator[Pair]:
    return of_people(febrl_people(text))


def of_people(people: dict[str, Identity]) -> Iterator[Pair]:
    """Every pair that has something in common, and then those that are one person and have nothing: they are lost."""
    true = true_pairs(people)
    for pair in blocked(people):
        one, other = pair
        yield Pair(f"{one} {other}", people[one], people[other], "match" if pair in true else "different")
        true.discard(pair)
    for one, other in sorted(true):
        yield Pair(f"{one} {other}", people[one], people[other], "match", compared=False)


def true_pairs(people: dict[str, Identity]) -> set[tuple[str, str]]:
    """The pairs of FEBRL records that are one person, by their number in rec_id."""
    same: defaultdict[str, list[str]] = defaultdict(list)
    for name in people:
        same[name.split("-")[1]].append(name)
    return {pair for members in same.values() for pair in combinations(sorted(members), 2)}


_MIIS_TRUTH = {"match": "match", "possible match": "possible", "not a match": "different"}
_MIIS_PART = re.compile(r"(\w+)=([^,]*)(?:,|$)")


def _miis(text: str) -> Iterator[Pair]:
    """Blocks of TEST, EXPECT, PATIENT A and PATIENT B (name=value, …)."""
    said: dict[str, str] = {}
    for line in text.splitlines():
        name, found, value = line.partition(":")
        if found:
            said[name.strip()] = value.strip()
        if name.strip() == "PATIENT B":
            truth = _MIIS_TRUTH.get(said.get("EXPECT", "").casefold())
            yield Pair(said.get("TEST", ""), _miis_person(said["PATIENT A"]), _miis_person(value), truth)


def _miis_person(text: str) -> Identity:
    value = dict(_MIIS_PART.findall(text))
    number = ("ssn", value.get("ssn")) if value.get("ssn") else ("medicaid", value.get("medicaid"))
    return of_person(
        {
            "given": f"{value.get('nameFirst', '')} {value.get('nameMiddle', '')}",
            "family": value.get("nameLast"),
            "suffix": value.get("nameSuffix"),
            "birthDate": value.get("birthDate"),
            "gender": {"M": "male", "F": "female"}.get(value.get("gender", ""), ""),
            "phone": value.get("phone"),
            "street": value.get("addressStreet1"),
            "postalCode": value.get("addressZip"),
            "identifier": f"{number[0]}|{number[1] or ''}",
        }
    )


def _json_lines(text: str) -> Iterator[Pair]:
    """{"a": person or Patient, "b": person or Patient, "expected"?: match|possible|different, "name"?: str} a line."""
    for place, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                said = json.loads(line)
                yield Pair(str(said.get("name", place)), _person(said["a"]), _person(said["b"]), said.get("expected"))
            except (ValueError, KeyError, AttributeError, TypeError) as wrong:
                raise Unreadable(f'Line {place} is not {{"a": …, "b": …}} in JSON.') from wrong


def _person(said: Json) -> Identity:
    return of_patient(said) if said.get("resourceType") == "Patient" else of_person(said)


def _is_febrl(path: Path, text: str) -> bool:
    return path.suffix == ".csv" and text.startswith("rec_id")


READERS: tuple[tuple[Callable[[Path, str], bool], Callable[[str], Iterator[Pair]]], ...] = (
    (_is_febrl, _febrl),
    (lambda path, text: text.startswith("TEST:"), _miis),
    (lambda path, text: text.lstrip().startswith("{"), _json_lines),
)
