"""What a message says, by kind and language: that there is something, never what. `{clinic}` is the only thing put in."""

# ruff: noqa: E501 - a sentence is kept whole

from dataclasses import dataclass

from portal.notices.models import Kind


@dataclass(frozen=True)
class Words:
    """Subject, paragraphs, and the word on the link."""

    subject: str
    lines: tuple[str, ...]
    link: str


EN = {
    Kind.INVITATION: Words(
        "{clinic} asks you to prepare your visit",
        (
            "You have a visit at {clinic}. You can tell us before it what we need to know, at home and in your own time.",
            "Open the link. We ask for your date of birth to make sure that it is you. The link is for you alone: do not pass it on.",
        ),
        "Prepare my visit",
    ),
    Kind.ASKED: Words(
        "{clinic} asks you to prepare your visit",
        ("There is a visit at {clinic} that you can prepare. What you told us before is still there to confirm.",),
        "Prepare my visit",
    ),
    Kind.REMINDER: Words(
        "Your visit at {clinic} is near",
        ("You have not sent your answers yet. What you have written so far is kept.",),
        "Go on where I stopped",
    ),
    Kind.RETURNED: Words(
        "{clinic} has a question for you",
        ("Somebody at {clinic} has looked at what you sent and asks you to check something.",),
        "See the question",
    ),
    Kind.DELIVERED: Words(
        "{clinic} has your answers",
        (
            "What you sent to {clinic} has been looked at, and what was accepted has arrived. There is nothing more to do.",
        ),
        "See what I sent",
    ),
}

ES = {
    Kind.INVITATION: Words(
        "{clinic} le pide que prepare su cita",
        (
            "Tiene una cita en {clinic}. Puede contarnos antes lo que necesitamos saber, en casa y con calma.",
            "Abra el enlace. Le pedimos su fecha de nacimiento para asegurarnos de que es usted. El enlace es solo para usted: no lo comparta.",
        ),
        "Preparar mi cita",
    ),
    Kind.ASKED: Words(
        "{clinic} le pide que prepare su cita",
        ("Hay una cita en {clinic} que puede preparar. Lo que nos contó antes sigue ahí para que lo confirme.",),
        "Preparar mi cita",
    ),
    Kind.REMINDER: Words(
        "Se acerca su cita en {clinic}",
        ("Todavía no ha enviado sus respuestas. Lo que ha escrito hasta ahora está guardado.",),
        "Seguir donde lo dejé",
    ),
    Kind.RETURNED: Words(
        "{clinic} tiene una pregunta para usted",
        ("Alguien de {clinic} ha mirado lo que envió y le pide que revise algo.",),
        "Ver la pregunta",
    ),
    Kind.DELIVERED: Words(
        "{clinic} tiene sus respuestas",
        ("Lo que envió a {clinic} se ha revisado y lo aceptado ha llegado. No tiene que hacer nada más.",),
        "Ver lo que envié",
    ),
}

WORDS = {"en": EN, "es": ES}
CLOSING = {
    "en": (
        "If you cannot open the link, call {clinic}: {phone}.",
        "Nobody reads answers to this message. It is not for emergencies.",
    ),
    "es": (
        "Si no puede abrir el enlace, llame a {clinic}: {phone}.",
        "Nadie lee las respuestas a este mensaje. No es para emergencias.",
    ),
}
STOP = {"en": "Stop reminders", "es": "No recibir más recordatorios"}
STOPPABLE = frozenset({Kind.ASKED, Kind.REMINDER})
"""The rest answers something a person did, or is the only way in."""
