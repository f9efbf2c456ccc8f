"""What a response says about the record: a transaction Bundle by templates, definitions and observations (SDC 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import extensions as ext
from .context import Context
from .definition import Form
from .extensions import Json
from .extract_definition import definitions
from .extract_observation import observations
from .extract_template import templates
from .extraction import Extractor
from .filling import Filling
from .issues import Trouble
from .sound import sound


@dataclass(frozen=True, slots=True)
class Extraction:
    """`bundle` is a transaction to be reviewed, never sent unseen; `troubles` say what could not be extracted; `sources`
    names the item (linkId, "" the form) that asked for each entry, by its fullUrl; `lacking` the elements that R4 wants and
    the form gives nothing for."""

    bundle: Json
    troubles: tuple[Trouble, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[Trouble, ...] = ()


def extract(form: Form, response: Json, context: Context, *, identity: str = "") -> Extraction:
    """The resources of a response, in the order of the form. Only what applies is extracted.

    `identity` names the response (a submission's id): the same name gives the same fullUrls, so that an amended
    response updates what the first one made.
    """
    filling = Filling(form, response, context, settle=False)
    work = Extractor(form, filling, response, identity)
    found = [*templates(work), *definitions(work), *observations(work)]
    lacking: list[Trouble] = []
    entries = [entry for made in found if (entry := _sound(work, made, lacking))]
    if ext.value(form.root.extensions, "targetStructureMap") is not None:
        work.trouble("", "targetStructureMap", "extraction by a StructureMap is not done here")
    bundle: Json = {"resourceType": "Bundle", "type": "transaction"}
    if entries:
        bundle["entry"] = entries
    troubles = tuple(dict.fromkeys([*work.troubles, *filling.troubles]))
    return Extraction(bundle, troubles, work.sources, tuple(dict.fromkeys(lacking)))


def _sound(work: Extractor, entry: Json, lacking: list[Trouble]) -> Json:
    """An entry as R4 has it; {} where nothing is left of its resource."""
    resource, said, missing = sound(entry["resource"])
    link_id = work.sources.get(str(entry.get("fullUrl")), "")
    for words in said:
        work.trouble(link_id, "extraction", words)
    lacking += [
        Trouble(link_id, "extraction", f"{path} is required, and the form says nothing for it") for path in missing
    ]
    return {**entry, "resource": resource} if resource else {}
