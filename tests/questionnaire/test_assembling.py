"""Modular forms ($assemble): what comes along with a module, what it is given, and what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest

from portal.questionnaire import FormRefused, assemble, load
from tests.questionnaire.make import HL7, SDC, fhirpath, group, option, q, raw_form, sdc, variable, when

HOME = "https://example.org/Questionnaire/"


def module(name: str, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return raw_form(*items, **{"url": HOME + name, "version": "3", **fields})


def include(name: str, *extensions: dict[str, Any]) -> dict[str, Any]:
    extension = [{"url": SDC + "subQuestionnaire", "valueCanonical": f"{HOME}{name}|3"}, *extensions]
    return q(f"include-{name}", "display", ext=extension)


def takes(*names: str) -> list[dict[str, Any]]:
    return [{"url": SDC + "assembleContext", "valueString": name} for name in names]


def put_together(whole: dict[str, Any], *modules: dict[str, Any]) -> dict[str, Any]:
    return assemble(whole, {f"{one['url']}|{one['version']}": one for one in modules})


def links(element: dict[str, Any]) -> list[str]:
    return [found for item in element.get("item", []) for found in (item["linkId"], *links(item))]


def launch(name: str, **more: Any) -> dict[str, Any]:
    parts = [{"url": "name", "valueCoding": {"code": name, **more}}, {"url": "type", "valueCode": "Patient"}]
    return {"url": SDC + "launchContext", "extension": parts}


def test_modules_stand_where_they_were_asked_for_and_are_named_with_their_version() -> None:
    inner = module("inner", q("c"))
    outer = module("outer", q("b"), include("inner"), q("d"))
    made = put_together(raw_form(q("a"), include("outer"), q("e")), inner, outer)
    assert links(made) == ["a", "b", "c", "d", "e"]
    assert (made["url"], made["version"]) == ("https://example.org/form", "1-assembled")
    assert [e["valueCanonical"] for e in made["extension"] if e["url"].endswith("assembledFrom")] == [
        f"{HOME}outer|3",
        f"{HOME}inner|3",
    ]
    assert load(made).by_link.keys() == {"a", "b", "c", "d", "e"}


@pytest.mark.parametrize(
    ("version", "parts", "after"),
    [("1", ["part"], "1-assembled"), ("1-assembled", ["part"], "1-assembled"), (None, ["part"], None), ("1", [], "1")],
)
def test_an_assembled_form_is_another_version_without_the_old_narrative(
    version: str | None, parts: list[str], after: str | None
) -> None:
    whole = raw_form(q("a"), *map(include, parts), version=version, text={"status": "generated", "div": "<div>a</div>"})
    made = put_together(whole, module("part", q("b")))
    assert (made["version"], "text" in made) == (after, not parts)


def test_a_prefix_goes_before_link_ids_conditions_and_what_is_contained() -> None:
    colours = {
        "resourceType": "ValueSet",
        "id": "colours",
        "compose": {"include": [{"system": "urn:c", "concept": [{"code": "red"}]}]},
    }
    part = module(
        "part",
        q("colour", "choice", answerValueSet="#colours"),
        q("why", enableWhen=[when("colour", "exists", answerBoolean=True)]),
        contained=[colours],
        extension=takes("linkIdPrefix"),
    )
    whole = raw_form(
        *(
            group(name, include("part"), ext=[variable("linkIdPrefix", f"'{name}.'")], repeats=True)
            for name in ("car", "house")
        )
    )
    made = put_together(whole, part)
    assert links(made) == ["car", "car.colour", "car.why", "house", "house.colour", "house.why"]
    assert [item["item"][1]["enableWhen"][0]["question"] for item in made["item"]] == ["car.colour", "house.colour"]
    assert [resource["id"] for resource in made["contained"]] == ["car.colours", "house.colours"]
    form = load(made)
    assert [len(form.value_sets.answers(form.by_link[f"{name}.colour"])) for name in ("car", "house")] == [1, 1]


def test_a_prefix_may_be_made_of_the_one_around_it() -> None:
    name = module("name", q("family"), extension=takes("linkIdPrefix"))
    longer = variable("linkIdPrefix", "%linkIdPrefix + 'name.'")
    contact = module(
        "contact", group("who", include("name"), ext=[longer]), q("phone"), extension=takes("linkIdPrefix")
    )
    whole = raw_form(group("contacts", include("contact"), ext=[variable("linkIdPrefix", "'contact.'")]))
    assert links(put_together(whole, name, contact)) == [
        "contacts",
        "contact.who",
        "contact.name.family",
        "contact.phone",
    ]


def test_a_prefix_that_a_module_places_itself_is_not_put_before_it_again() -> None:
    why = q("why", enableWhen=[when("{{%linkIdPrefix}}colour", "exists", answerBoolean=True)])
    part = module("part", q("{{%linkIdPrefix}}colour"), why, extension=takes("linkIdPrefix"))
    whole = raw_form(group("car", include("part"), ext=[variable("linkIdPrefix", "'car.'")]))
    made = put_together(whole, part)
    assert links(made) == ["car", "car.colour", "car.why"]
    assert made["item"][0]["item"][1]["enableWhen"][0]["question"] == "car.colour"


LIBRARY = {"url": HL7 + "cqf-library", "valueCanonical": "l"}


def test_what_a_module_says_of_itself_goes_to_the_form_or_to_the_item_around_it() -> None:
    rule = {"url": HL7 + "targetConstraint", "extension": [{"url": "key", "valueId": "k"}]}
    names = sdc("itemPopulationContext", "%patient.name", "name")
    part = module(
        "part",
        q("a"),
        extension=[launch("patient", system="urn:other"), rule, names, variable("x", "1"), LIBRARY],
        meta={"security": [{"code": "secret"}]},
        title="Never seen",
    )  # fmt: skip
    made = put_together(raw_form(group("g", include("part")), extension=[launch("patient")]), part)
    assert [e["url"].rsplit("/", 1)[-1] for e in made["item"][0]["extension"]] == [
        "targetConstraint",
        "sdc-questionnaire-itemPopulationContext",
        "variable",
    ]
    assert [e["url"].rsplit("/", 1)[-1] for e in made["extension"]] == [
        "sdc-questionnaire-launchContext",
        "cqf-library",
        "sdc-questionnaire-assembledFrom",
    ]
    assert (made["title"], "meta" in made) == ("A form", False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assemble-root", []),
        ("assemble-root-or-child", ["independent-root-or-child"]),
        ("assemble-child", ["independent-child"]),
    ],
)
def test_an_assembled_form_says_what_it_can_be_used_for_now(before: str, after: list[str]) -> None:
    expectation = {"url": SDC + "assemble-expectation", "valueCode": before}
    made = put_together(raw_form(include("part"), extension=[expectation]), module("part", q("a")))
    assert [e["valueCode"] for e in made["extension"] if e["url"].endswith("expectation")] == after


def test_two_lists_of_one_name_and_other_content_are_kept_apart() -> None:
    def asks(name: str, code: str) -> dict[str, Any]:
        include = [{"system": "urn:c", "concept": [{"code": code}]}]
        contained = [{"resourceType": "ValueSet", "id": "v", "compose": {"include": include}}]
        return module(name, q(name, "choice", answerValueSet="#v"), contained=contained)

    made = put_together(
        raw_form(include("one"), include("two"), include("three")),
        asks("one", "x"),
        asks("two", "y"),
        asks("three", "x"),
    )
    form = load(made)
    assert [form.value_sets.answers(item)[0]["valueCoding"]["code"] for item in form.all_items] == ["x", "y", "x"]
    assert [resource["id"] for resource in made["contained"]] == ["v", "v-2"]


PREFIX_LIKE = module("part", q("a"), extension=takes("thing"))
CONTRADICTIONS: list[tuple[str, dict[str, Any], list[dict[str, Any]], str]] = [
    ("lacking", raw_form(include("part")), [], "not at hand"),
    ("a circle", raw_form(include("part")), [module("part", include("part"))], "circle"),
    ("not given what it needs", raw_form(include("part")), [PREFIX_LIKE], "%thing"),
    ("rules of its own", raw_form(include("part")), [module("part", q("a"), implicitRules="urn:x")], "implicitRules"),
    ("a modifier", raw_form(include("part")), [module("part", q("a"), modifierExtension=[{"url": "urn:x"}])], "modifierExtension"),
    ("another language", raw_form(include("part"), language="en"), [module("part", q("a"), language="es")], "language"),
    (
        "a variable twice",
        raw_form(include("part"), extension=[variable("x", "1")]),
        [module("part", q("a"), extension=[variable("x", "2")])],
        "variable x twice",
    ),
    (
        "two contexts",
        raw_form(group("g", include("one"), include("two"))),
        [module(name, q(name), extension=[sdc("itemPopulationContext", name)]) for name in ("one", "two")],
        "itemPopulationContext twice",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("whole", "modules", "reason"), [case[1:] for case in CONTRADICTIONS], ids=[case[0] for case in CONTRADICTIONS]
)
def test_modules_that_contradict_what_they_are_put_into_are_refused(
    whole: dict[str, Any], modules: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(FormRefused, match=reason):
        put_together(whole, *modules)


def test_what_a_module_needs_may_be_a_variable_a_context_or_given_at_the_start() -> None:
    for around in (variable("thing", "%resource"), sdc("itemPopulationContext", "%patient", "thing")):
        assert links(put_together(raw_form(group("g", include("part"), ext=[around])), PREFIX_LIKE)) == ["g", "a"]
    assert links(put_together(raw_form(include("part"), extension=[launch("thing")]), PREFIX_LIKE)) == ["a"]


def test_a_form_that_is_made_of_nothing_stays_as_it_is() -> None:
    for whole in (raw_form(q("a")), {"resourceType": "Questionnaire", "status": "active"}):
        assert assemble(whole, {}) == whole


def test_texts_in_a_module_take_the_values_they_are_given() -> None:
    part = module("part", q("{{%who}}-name", text="{{%who}}'s name"), extension=takes("who"))
    whole = raw_form(include("part", variable("who", "'mother'")))
    (item,) = put_together(whole, part)["item"]
    assert (item["linkId"], item["text"]) == ("mother-name", "mother's name")


def test_an_item_takes_what_it_does_not_say_from_a_library_of_questions() -> None:
    library = module(
        "library",
        q("smokes", "choice", q("since", "date"), text="Do you smoke?", answerOption=[option("y"), option("n")], required=True, ext=[
            variable("x", "1"), sdc("initialExpression", "1")]),
    )  # fmt: skip
    own = {
        "linkId": "7",
        "type": "choice",
        "text": "And do you smoke?",
        "definition": f"{HOME}library#smokes",
        "extension": [sdc("initialExpression", "2")],
    }
    (item,) = assemble(raw_form(own), {f"{HOME}library": library})["item"]
    assert (item["linkId"], item["text"], item["required"]) == ("7", "And do you smoke?", True)
    assert [one["valueCoding"]["code"] for one in item["answerOption"]] == ["y", "n"]
    assert [one["linkId"] for one in item["item"]] == ["since"]
    assert [one["valueExpression"] for one in item["extension"]] == [fhirpath("2"), fhirpath("1", "x")]


def test_an_item_takes_what_it_does_not_say_from_the_definition_of_an_element() -> None:
    url = "https://example.org/StructureDefinition/questions"
    first = {
        "id": "q.first",
        "label": "First name",
        "min": 1,
        "max": "*",
        "type": [{"code": "string"}],
        "maxLength": 100,
    }
    profile = {"resourceType": "StructureDefinition", "url": url, "differential": {"element": [first]}}
    (item,) = assemble(raw_form({"linkId": "1", "definition": f"{url}#q.first"}), {url: profile})["item"]
    assert {key: item[key] for key in ("text", "type", "required", "repeats", "maxLength")} == {
        "text": "First name", "type": "string", "required": True, "repeats": True, "maxLength": 100,
    }  # fmt: skip


def value_set(code: str) -> dict[str, Any]:
    include = [{"system": "urn:c", "concept": [{"code": code}]}]
    return {"resourceType": "ValueSet", "id": "list", "compose": {"include": include}}


@pytest.mark.parametrize(("theirs", "ids"), [("red", ["list"]), ("blue", ["list", "list-2"])])
def test_a_list_of_the_form_itself_is_kept_apart_from_a_modules_of_the_same_name(theirs: str, ids: list[str]) -> None:
    part = module("part", q("theirs", "choice", answerValueSet="#list"), contained=[value_set(theirs)])
    whole = raw_form(q("ours", "choice", answerValueSet="#list"), include("part"), contained=[value_set("red")])
    made = put_together(whole, part)
    assert [one["id"] for one in made["contained"]] == ids
    form = load(made)
    offered = {link: form.value_sets.answers(item)[0]["valueCoding"]["code"] for link, item in form.by_link.items()}
    assert offered == {"ours": "red", "theirs": theirs}


ASKED = [when("z", answerBoolean=True)]


@pytest.mark.parametrize(
    ("own", "found", "kept"),
    [
        ({}, ["z", "x"], None),
        ({"type": "group"}, ["z", "x"], None),
        ({"enableWhen": ASKED}, ["z", "include-a", "x"], {"enableWhen": ASKED}),
        ({"type": "group", "enableWhen": ASKED}, ["z", "include-a", "x"], {"enableWhen": ASKED, "text": "include-a"}),
        ({"type": "group", "repeats": True}, ["z", "include-a", "x"], {"repeats": True, "text": "include-a"}),
        ({"type": "group", "item": [q("own")]}, ["z", "include-a", "own"], None),
        ({"required": True}, ["z", "x"], None),
    ],
)
def test_what_a_placeholder_says_of_when_and_how_often_is_not_lost(
    own: dict[str, Any], found: list[str], kept: dict[str, Any] | None
) -> None:
    """A condition on a placeholder goes for all that is put there; a group that was filled before stays as it is."""
    made = put_together(raw_form(q("z", "boolean"), {**include("a"), **own}), module("a", q("x")))
    assert links(made) == found
    if kept is not None:
        rest = {key: held for key, held in made["item"][1].items() if key not in ("linkId", "type", "item")}
        assert rest == kept
    assert load(made)


def test_a_condition_by_expression_stays_with_the_placeholder_too() -> None:
    placeholder = include("a", sdc("enableWhenExpression", "%resource.item.where(linkId='z').answer.value"))
    made = put_together(raw_form(q("z", "boolean"), placeholder), module("a", q("x")))
    assert load(made).by_link["include-a"].enable_formula is not None


def search(url: str) -> list[dict[str, Any]]:
    return [{"resourceType": "Bundle", "id": "found", "type": "batch", "entry": [{"request": {"url": url}}]}]


NAMED = {"url": f"{SDC}sourceQueries", "valueReference": {"reference": "#found"}}


def test_a_search_keeps_the_name_that_expressions_know_it_by() -> None:
    extension = [NAMED, *takes("linkIdPrefix")]
    part = module("part", q("x"), contained=search("Observation"), extension=extension)
    whole = raw_form(group("g", include("part"), ext=[variable("linkIdPrefix", "'p.'")]))
    assert load(put_together(whole, part)).source_queries.keys() == {"found"}


def test_two_searches_of_one_name_or_one_name_for_two_kinds_of_resource_are_refused() -> None:
    a, b = (module(name, q(name), contained=search(name), extension=[NAMED]) for name in ("Observation", "Condition"))
    with pytest.raises(FormRefused, match="found"):
        put_together(raw_form(include("Observation"), include("Condition")), a, b)
    other = {
        **launch("patient"),
        "extension": [*launch("patient")["extension"][:1], {"url": "type", "valueCode": "Group"}],
    }
    with pytest.raises(FormRefused, match="patient"):
        put_together(raw_form(include("c"), extension=[launch("patient")]), module("c", q("c"), extension=[other]))


@pytest.mark.parametrize(("location", "becomes"), [("age", "p.age"), ("%context.item[0]", "%context.item[0]")])
def test_a_rule_is_still_about_the_question_it_names(location: str, becomes: str) -> None:
    parts = [{"url": "key", "valueId": "k"}, {"url": "location", "valueString": location}]
    parts += [{"url": "expression", "valueExpression": fhirpath("false")}]
    rule = {"url": f"{SDC}targetConstraint", "extension": parts}
    part = module("part", q("age", "integer"), extension=[rule, *takes("linkIdPrefix")])
    made = put_together(raw_form(group("g", include("part"), ext=[variable("linkIdPrefix", "'p.'")])), part)
    assert load(made).by_link["g"].rules[0].locations == (becomes,)
