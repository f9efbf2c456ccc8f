"""A patient asks about a thing on their pages and the clinic answers or closes: one conversation, appended only, seen whole by both.

What may be asked about, who may answer and what is audited belong to the rooms that open conversations.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Select, String, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.actors import Actor
from portal.clock import now
from portal.db import Base, Sealed, key, sealed_column, session, transaction
from portal.errors import Conflict, Issue, NotFound

LONGEST = 2000
"""characters a person may write at once"""
MOST_OPEN = 20
"""conversations of one kind that a patient may have open"""
MOST_CLOSED = 100
"""closed conversations that a list shows, the newest"""
MANY = Issue("text", "many", "You have many open questions. Please call the clinic.")


class Kind(StrEnum):
    """What a conversation is about: a result, or an entry of "who looked"."""

    RESULT = "result"
    ENTRY = "entry"


class State(StrEnum):
    """Whose turn it is: the clinic's, the patient's to read, or nobody's."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


def viewed(word: str | None) -> State:
    """The state that an address asks to see; anything else is what waits for the clinic."""
    return State(word) if word in set(State) else State.OPEN


class Act(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


AFTER: dict[Act, State] = {Act.ASKED: State.OPEN, Act.ANSWERED: State.ANSWERED, Act.CLOSED: State.CLOSED}
MOVES: dict[State, frozenset[Act]] = {
    State.OPEN: frozenset(Act),
    State.ANSWERED: frozenset(Act),
    State.CLOSED: frozenset(),
}
ONE_AN_ENTRY = text("kind = 'entry'")


def _one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word.value) for word in words)})", name=column)


class Conversation(Base):
    """`about`: the address of the thing on the patient's pages, or the entry's id; `state` is lifted from the steps."""

    __tablename__ = "conversations"
    __sealed_owner__ = "patient_id"
    __table_args__ = (
        _one_of("kind", Kind),
        _one_of("state", State),
        Index(None, "clinic_id", "kind", "state", "asked_at"),
        Index(None, "patient_id", "kind", "asked_at"),
        Index(
            "one_an_entry", "patient_id", "about", unique=True, sqlite_where=ONE_AN_ENTRY, postgresql_where=ONE_AN_ENTRY
        ),
    )
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    kind: Mapped[str] = mapped_column(String(10))
    about: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """the thing as it stood when they asked; its shape is the room's that opened the conversation"""
    steps: Mapped[list["ConversationStep"]] = relationship(order_by="ConversationStep.number", lazy="selectin")

    @property
    def last(self) -> str:
        """The words written last."""
        return str(self.steps[-1].document["text"]) if self.steps else ""


class ConversationStep(Base):
    """Who said what, when. Appended only: (conversation, number) lets no two take the same place."""

    __tablename__ = "conversation_steps"
    __sealed_owner__ = "patient_id"
    __table_args__ = (UniqueConstraint("conversation_id", "number"), _one_of("act", Act))
    id: Mapped[str] = key()
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    number: Mapped[int] = mapped_column(Integer)
    act: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    account_id: Mapped[str | None] = mapped_column(String(16))
    document_sealed: Mapped[bytes] = sealed_column()
    document = Sealed()
    """{"text", "by": name}"""


def of_patient(actor: Actor, kind: Kind) -> list[Conversation]:
    """This patient's own, the newest first; NotFound for who is no patient."""
    mine = _of_clinic(actor, kind).where(Conversation.patient_id == own(actor))
    return list(session().scalars(mine.order_by(Conversation.asked_at.desc())))


def find(actor: Actor, kind: Kind, conversation_id: str) -> Conversation:
    """One of this clinic; NotFound otherwise. Whether the actor may see it is for the caller to say."""
    found = session().scalars(_of_clinic(actor, kind).where(Conversation.id == conversation_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def owner(actor: Actor, conversation_id: str) -> str | None:
    """Whose conversation with this clinic it is."""
    wanted = select(Conversation.patient_id).where(Conversation.clinic_id == actor.clinic_id)
    return session().scalar(wanted.where(Conversation.id == conversation_id))


def in_state(actor: Actor, kind: Kind, state: State) -> list[Conversation]:
    """This clinic's, the oldest first; of closed ones the newest MOST_CLOSED, the newest first."""
    wanted = _of_clinic(actor, kind).where(Conversation.state == state)
    if state == State.CLOSED:
        return list(session().scalars(wanted.order_by(Conversation.asked_at.desc()).limit(MOST_CLOSED)))
    return list(session().scalars(wanted.order_by(Conversation.asked_at)))


def waiting(actor: Actor, kind: Kind) -> int:
    """How many of this clinic wait for its answer."""
    wanted = select(func.count()).where(Conversation.clinic_id == actor.clinic_id, Conversation.kind == kind)
    return session().scalar(wanted.where(Conversation.state == State.OPEN)) or 0


def begin(actor: Actor, kind: Kind, about: str, document: dict[str, Any], words: str) -> ConversationStep:
    """Open a conversation with the patient's first words, in the caller's transaction."""
    made = Conversation(
        clinic_id=actor.clinic_id,
        patient_id=own(actor),
        kind=kind.value,
        about=about,
        asked_at=now(),
        state=State.OPEN.value,
        document=document,
    )
    session().add(made)
    session().flush()
    return _append(actor, made, Act.ASKED, words)


def move(actor: Actor, conversation: Conversation, act: Act, words: str, seen: int) -> ConversationStep:
    """Ask more, answer or close. Conflict when it is closed, or more was written than the `seen` steps on the screen."""
    with transaction() as current:
        current.refresh(conversation, ["state"], with_for_update=True)
        current.refresh(conversation, ["steps"])
        if len(conversation.steps) != seen or act not in MOVES[State(conversation.state)]:
            raise Conflict
        conversation.state = AFTER[act].value
        return _append(actor, conversation, act, words)


def wording(words: str) -> list[Issue]:
    """What is wrong with somebody's words."""
    if not words.strip():
        return [Issue("text", "required", "Write your words first")]
    if len(words) > LONGEST:
        return [Issue("text", "long", "Write no more than %(most)s characters", {"most": str(LONGEST)})]
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in words):
        return [Issue("text", "odd", "There is a character in it that cannot be sent. Write it again.")]
    return []


def own(actor: Actor) -> str:
    """Whose conversations a patient opens: their own; NotFound for who is no patient."""
    if actor.patient_id is None:
        raise NotFound
    return actor.patient_id


def _of_clinic(actor: Actor, kind: Kind) -> Select[Conversation]:
    return select(Conversation).where(Conversation.clinic_id == actor.clinic_id, Conversation.kind == kind)


def _append(actor: Actor, conversation: Conversation, act: Act, words: str) -> ConversationStep:
    step = ConversationStep(
        clinic_id=conversation.clinic_id,
        patient_id=conversation.patient_id,
        conversation_id=conversation.id,
        number=len(conversation.steps) + 1,
        act=act.value,
        at=now(),
        account_id=actor.account_id,
        document={"text": words.strip(), "by": actor.name},
    )
    conversation.steps.append(step)
    session().flush()
    return step
