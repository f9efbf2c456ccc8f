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


@dataclass(frozen=True, slots=True)
class Extraction:
    """`bundle` is a transaction to be reviewed, never sent unseen; `troubles` say what could not be extracted; `sources`
    names the item (linkId, "" the form) that asked for each entry, by its fullUrl."""

    bundle: Json
    troubles: tuple[Trouble, ...]
    sources: Mapping[str, str] = field(default_factory=dict)


def extract(form: Form, response: Json, context: Context, *, identity: str = "") -> Extraction:
    """The resources of a response, in the order of the form. Only what applies is extracted.

    `identity` names the response (a submission's id): the same name gives the same fullUrls, so that an amended
    response updates what the first one made.
    """
    filling = Filling(form, response, context, settle=False)
    work = Extractor(form, filling, response, identity)
    entries = [*templates(work), *definitions(work), *observations(work)]
    if ext.value(form.root.extensions, "targetStructureMap") is not None:
        work.trouble("", "targetStructureMap", "extraction by a StructureMap is not done here")
    bundle: Json = {"resourceType": "Bundle", "type": "transaction"}
    if entries:
        bundle["entry"] = entries
    return Extraction(bundle, tuple(dict.fromkeys([*work.troubles, *filling.troubles])), work.sources)
