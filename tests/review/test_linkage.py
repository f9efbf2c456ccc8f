"""Matching measured on public linkage sets with known truth, and the command that prints it."""

import csv
import io
import json
import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from portal.review.agreement import compare
from portal.review.identity import Identity, of_person
from portal.review.linkage import febrl_people, pairs
from portal.review.match_command import main
from portal.review.matching import Likeness, likeness, score

CORPUS = Path(os.environ.get("PORTAL_CORPUS", "/nonexistent"))
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="PORTAL_CORPUS does not name the public corpus")


def verdicts(path: Path) -> Counter[tuple[Likeness, str | None]]:
    return Counter(
        (likeness(compare(pair.one, pair.other)) if pair.compared else Likeness.UNLIKE, pair.truth)
        for pair in pairs(path)
    )


@needs_corpus
@pytest.mark.parametrize("name", ["dataset2.csv", "dataset3.csv"])
def test_febrl_ties_nobody_wrongly_and_loses_almost_nobody(name: str) -> None:
    found = verdicts(CORPUS / "febrl" / name)
    true = sum(count for (_, truth), count in found.items() if truth == "match")
    assert found[Likeness.SURE, "different"] == 0
    assert found[Likeness.SURE, "match"] / true > 0.5
    assert found[Likeness.UNLIKE, "match"] / true < 0.01
    assert found[Likeness.MAYBE, "different"] < 10


@needs_corpus
def test_febrl_across_two_files_ties_nobody_wrongly() -> None:
    texts = [(CORPUS / "febrl" / f"dataset4{half}.csv").read_text() for half in "ab"]
    known, asked = (febrl_people(text) for text in texts)
    by_birth: dict[str, list[str]] = defaultdict(list)
    for name, person in known.items():
        by_birth[person.birth_date].append(name)
    seen: Counter[tuple[Likeness, bool]] = Counter()
    for name, person in asked.items():
        for other in by_birth[person.birth_date] if person.birth_date else ():
            right = name.split("-")[1] == other.split("-")[1]
            seen[likeness(compare(person, known[other])), right] += 1
    assert seen[Likeness.SURE, False] == 0
    assert seen[Likeness.SURE, True] > 2000


def nbs(row: dict[str, str]) -> Identity:
    return of_person(
        {
            "given": row["FIRST"],
            "family": row["LAST"],
            "suffix": row["SUFFIX"],
            "birthDate": row["BIRTHDATE"],
            "gender": {"M": "male", "F": "female"}.get(row["GENDER"], ""),
            "street": row["ADDRESS"],
            "postalCode": row["ZIP"],
            "identifier": f"ssn|{row['SSN']}",
        }
    )


@needs_corpus
@pytest.mark.parametrize("name", ["nbs_test.csv", "better_test.csv", "expanded_nbs_test.csv"])
def test_recordlinker_cases_are_hardly_ever_tied_where_no_match_is_expected(name: str) -> None:
    """Their "no_match" holds for their algorithm; a few of those rows are the same person under other files' labels."""
    folder = CORPUS / "recordlinker" / "algorithm" / "data"
    seed = defaultdict(list)
    for row in csv.DictReader((folder / "nbs_seed.csv").open()):
        seed[row["Match Id"]].append(nbs(row))
    found: Counter[tuple[Likeness, str]] = Counter()
    for row in csv.DictReader((folder / name).open()):
        levels = [compare(nbs(row), other) for other in seed[row["Match Id"]]]
        if levels:
            found[likeness(max(levels, key=score)), row["Expected Result"]] += 1
    assert found[Likeness.SURE, "match"] > 15
    assert found[Likeness.SURE, "no_match"] <= 2


MIIS = """TEST: S-1:PHONE
EXPECT: Match
PATIENT A: nameFirst=Pablo,nameMiddle=,nameLast=Todd,gender=M,birthDate=20071216,phone=(810)433-3532,addressZip=49555,ssn=,
PATIENT B: nameFirst=Pablo,nameLast=Todd,gender=M,birthDate=20071216,phone=8104333532,addressZip=,ssn=
TEST: D-1:TWIN
EXPECT: Not a Match
PATIENT A: nameFirst=Pablo,nameLast=Todd,gender=M,birthDate=20071216,phone=(810)433-3532
PATIENT B: nameFirst=Veit,nameLast=Todd,gender=M,birthDate=20071216,phone=(810)433-3532
"""


def printed(path: Path) -> tuple[int, list[dict[str, object]], str]:
    out, told = io.StringIO(), io.StringIO()
    code = main([str(path)], out, told)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], told.getvalue()


def test_the_command_prints_one_line_a_pair_and_what_came_of_it(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text(MIIS)
    code, lines, told = printed(file)
    assert code == 0
    assert [(line["verdict"], line["truth"]) for line in lines] == [("sure", "match"), ("maybe", "different")]
    assert lines[0]["fields"]["phone"] == "agrees"  # type: ignore[index]
    assert "wrong automatic ties: 0" in told


def test_the_command_reads_json_lines_of_people_or_patients(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    one = {"resourceType": "Patient", "name": [{"family": "Ruiz", "given": ["Ana"]}], "birthDate": "2001-02-03"}
    file.write_text(json.dumps({"a": one, "b": {"name": "Ana Ruiz", "birthDate": "2001-02-03"}}) + "\n")
    code, lines, told = printed(file)
    assert (code, lines[0]["verdict"]) == (0, "maybe")
    assert "precision not known" in told


@pytest.mark.parametrize("text", ["hello", '{"a": 1}', '{"a": {}, "b": '])
def test_what_cannot_be_read_gets_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pairs.any"
    file.write_text(text)
    code, _, told = printed(file)
    assert code == 2
    assert "could not be read" in told


PEOPLE = """rec_id, given_name, surname, street_number, address_1, postcode, date_of_birth, soc_sec_id
rec-1-org, ana, ruiz, 1, elm rd, 11111, 20010203, 1234567
rec-1-dup-0, anna, ruiz, 1, elm rd, 11111, 20010203, 1234567
rec-1-dup-1, zoe, other, 9, far st, 99999, 19700101, 7654321
"""


def test_what_would_never_have_been_compared_counts_as_lost(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    code, lines, told = printed(file)
    assert (code, [line["compared"] for line in lines]) == (0, [True, False, False])
    assert "66.67% lost" in told


def test_two_files_are_compared_with_each_other(tmp_path: Path) -> None:
    head, first, second, third = PEOPLE.splitlines()
    (tmp_path / "a.csv").write_text(f"{head}\n{first}\n{third}\n")
    (tmp_path / "b.csv").write_text(f"{head}\n{second}\n")
    out, told = io.StringIO(), io.StringIO()
    assert main([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], out, told) == 0
    assert len(out.getvalue().splitlines()) == 3
    (tmp_path / "c.txt").write_text(MIIS)
    assert main([str(tmp_path / "a.csv"), str(tmp_path / "c.txt")], out, told) == 2


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    assert printed(tmp_path / "nothing.csv")[0] == 2
