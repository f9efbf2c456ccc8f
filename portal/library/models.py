"""The forms of a clinic as stored: each version as it was brought in, what was done with it, and the lists its questions offer."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Sealed, key, sealed_column

LONGEST_URL = 500
LONGEST_VERSION = 100
LONGEST_TITLE = 300
ORIGINS = ("supplied", "folder", "file", "server")
STATES = ("active", "inactive")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class LibraryForm(Base):
    """A form through all its versions. `slug` stands in addresses, `url` in what is sent; neither ever changes."""

    __tablename__ = "library_forms"
    __table_args__ = (UniqueConstraint("clinic_id", "url"), UniqueConstraint("clinic_id", "slug"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    slug: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime]


class FormVersion(Base):
    """One version, exactly as it came: `content` are its bytes, `sha256` theirs. Never changed.

    `lists` are the value sets that only a terminology server can give.
    """

    __tablename__ = "form_versions"
    __table_args__ = (
        UniqueConstraint("form_id", "version"),
        UniqueConstraint("form_id", "number"),
        CheckConstraint(_one_of("origin", ORIGINS), name="origin"),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    form_id: Mapped[str] = mapped_column(ForeignKey("library_forms.id"))
    number: Mapped[int] = mapped_column(Integer)
    version: Mapped[str] = mapped_column(String(LONGEST_VERSION))
    title: Mapped[str] = mapped_column(String(LONGEST_TITLE))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    lists: Mapped[list[str]] = mapped_column(JSON)
    origin: Mapped[str] = mapped_column(String(12))
    origin_name: Mapped[str] = mapped_column(String(200))
    imported_at: Mapped[datetime]
    who_sealed: Mapped[bytes] = sealed_column()
    who = Sealed()
    """the name of the person who brought it in"""


class FormStep(Base):
    """What was decided about a form: from now on this version is asked by this rule, or nobody is asked any more. Never changed.

    `carry`: drafts of older versions move over to this one.
    """

    __tablename__ = "form_steps"
    __table_args__ = (UniqueConstraint("form_id", "number"), CheckConstraint(_one_of("state", STATES), name="state"))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), index=True)
    form_id: Mapped[str] = mapped_column(ForeignKey("library_forms.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("form_versions.id"))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)
    carry: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime]
    who_sealed: Mapped[bytes] = sealed_column()
    who = Sealed()
    """the name of the person who decided it"""


class LibraryTerm(Base):
    """A ValueSet or CodeSystem that was brought in beside forms; the newest of an address counts."""

    __tablename__ = "library_terms"
    __table_args__ = (UniqueConstraint("clinic_id", "url"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    url: Mapped[str] = mapped_column(String(LONGEST_URL))
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class Expansion(Base):
    """What a value set holds, as a terminology server last said: kept so that no patient's page has to ask.

    `codings` are of `read_at`; `trouble` (a code) is set when the newest try, at `tried_at`, failed.
    """

    __tablename__ = "expansions"
    __table_args__ = (UniqueConstraint("clinic_id", "canonical"),)
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    canonical: Mapped[str] = mapped_column(String(LONGEST_URL))
    codings: Mapped[bytes | None] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(String(500))
    read_at: Mapped[datetime | None]
    tried_at: Mapped[datetime]
    trouble: Mapped[str | None] = mapped_column(String(40))
