"""What a message says, by kind and language: that there is something, never what. `{clinic}` is the only thing put in."""

# ruff: noqa: E501 - a sentence is kept whole

from dataclasses import dataclass

from portal.notices.models import Kind


@dataclass(frozen=True)
class Words:
    """Subject, paragraphs, and the word on the link; "" where there is nothing to click."""

    subject: str
    lines: tuple[str, ...]
    link: str


EN = {
    Kind.INVITATION: Words(
        "{clinic} asks you to prepare your visit",
        (
            "You have a visit at {clinic}. You can answer our questions beforehand, at home and in your own time.",
            "Open the link. It asks for your date of birth and for a code, so that nobody else can use it. We give you the code on paper, on the phone or at the desk: if you have none, call us. Do not pass the link on.",
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
            "{clinic} has looked at what you sent, and what they accepted is in your record. There is nothing more for you to do.",
        ),
        "See what I sent",
    ),
    Kind.SECURITY: Words(
        "Your account at {clinic}: something changed",
        (
            "{said} That was on {when}.",
            "Was it you, or did you ask for it? Then there is nothing to do. If not, call {clinic} at once: {phone}.",
            "There is no link in this message, and we never ask for a password or a code. You find your account where you always do: type {site} into your browser.",
        ),
        "",
    ),
}

ES = {
    Kind.INVITATION: Words(
        "{clinic} le pide que prepare su cita",
        (
            "Tiene una cita en {clinic}. Puede contarnos antes lo que necesitamos saber, en casa y con calma.",
            "Abra el enlace. Le pide su fecha de nacimiento y un código, para que nadie más pueda usarlo. El código se lo damos en papel, por teléfono o en la recepción: si no lo tiene, llámenos. No comparta el enlace.",
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
        (
            "{clinic} ha revisado lo que usted envió, y lo que aceptó está en su historia clínica. No tiene que hacer nada más.",
        ),
        "Ver lo que envié",
    ),
    Kind.SECURITY: Words(
        "Su cuenta en {clinic}: algo ha cambiado",
        (
            "{said} Fue el {when}.",
            "¿Ha sido usted, o lo ha pedido? Entonces no tiene que hacer nada. Si no, llame enseguida a {clinic}: {phone}.",
            "Este mensaje no lleva ningún enlace, y nunca le pedimos una contraseña ni un código. Su cuenta está donde siempre: escriba {site} en su navegador.",
        ),
        "",
    ),
}

HAPPENED = {
    "en": {
        "changed": "Something changed about how you sign in.",
        "link-made": "The clinic made a link with which a new password can be set for your account.",
        "code": "The clinic made a link with which a password can be set for your account. The page that the link opens asks for this code: {code}. Type it there and tell it to nobody, not even to the clinic.",
        "code-shown": "The front desk had the code for a patient's account shown on its screen, because that patient had lost the mailbox too. The audit trail says who and for whom.",
        "staff-changed": "An administrator gave somebody an account here, or another role. The list of staff and the audit trail say who.",
        "renewed": "A new password was set for your account, with a link from the clinic.",
        "factors-gone": "The second steps of your account were removed, because the clinic was told that they are lost.",
        "role": "An administrator changed what your account may do.",
        "tied": "Your account was connected to a person of the clinic's own system. Whoever signs in there as that person gets in here as you.",
        "helper": "Somebody can now answer for you: they took up the link that you or the clinic made. Your list of them is in your account.",
        "helping-ends": "The time in which you may answer for somebody at the clinic ends soon. After you have signed in, the page about whom you answer for says when, and what you can do if it should go on.",
        "helping-over": "The time in which you could answer for somebody at the clinic is over. What you answered before stays. If it should go on, ask the front desk.",
        "password": "The password of your account was changed.",
        "factor-added": "A second step was added to your account: codes from an app.",
        "passkey-added": "A passkey was added to your account.",
        "factor-removed": "A second step of your account was removed.",
        "codes-made": "New recovery codes were made for your account, and the old ones open nothing any more.",
        "code-used": "A recovery code of your account was used.",
        "codes-tried": "Somebody who knows your password gave ten wrong codes at the second step, which is shut for a quarter of an hour.",
        "locked": "Very many wrong passwords were tried for your account. For a day it opens only with a passkey, or in a browser that you have signed in with before.",
    },
    "es": {
        "changed": "Ha cambiado algo en su forma de iniciar sesión.",
        "link-made": "La clínica ha creado un enlace con el que se puede poner una contraseña nueva a su cuenta.",
        "code": "La clínica ha creado un enlace con el que se puede poner una contraseña a su cuenta. La página que abre el enlace pide este código: {code}. Escríbalo allí y no se lo diga a nadie, tampoco a la clínica.",
        "code-shown": "La recepción ha visto en su pantalla el código de la cuenta de un paciente, porque ese paciente había perdido también su buzón. El registro de accesos dice quién y de quién.",
        "staff-changed": "Un administrador ha dado a alguien una cuenta aquí, u otra función. La lista del personal y el registro de accesos dicen a quién.",
        "renewed": "Se ha puesto una contraseña nueva a su cuenta, con un enlace de la clínica.",
        "factors-gone": "Se han quitado los segundos pasos de su cuenta, porque se dijo a la clínica que se habían perdido.",
        "role": "Un administrador ha cambiado lo que su cuenta puede hacer.",
        "tied": "Su cuenta se ha unido a una persona del sistema de la clínica. Quien entre allí como esa persona entra aquí como usted.",
        "helper": "Alguien puede ahora responder por usted: ha usado el enlace que creó usted o la clínica. La lista está en su cuenta.",
        "helping-ends": "El plazo en que puede responder por otra persona en la clínica termina pronto. Cuando haya iniciado sesión, la página sobre por quién responde dice cuándo, y qué puede hacer si debe continuar.",
        "helping-over": "El plazo en que podía responder por otra persona en la clínica ha terminado. Lo que respondió antes queda guardado. Si debe continuar, pregunte en la recepción.",
        "password": "Se ha cambiado la contraseña de su cuenta.",
        "factor-added": "Se ha añadido un segundo paso a su cuenta: códigos de una aplicación.",
        "passkey-added": "Se ha añadido una llave de acceso a su cuenta.",
        "factor-removed": "Se ha quitado un segundo paso de su cuenta.",
        "codes-made": "Se han creado códigos de recuperación nuevos para su cuenta; los anteriores ya no sirven.",
        "code-used": "Se ha usado un código de recuperación de su cuenta.",
        "codes-tried": "Alguien que sabe su contraseña ha dado diez códigos equivocados en el segundo paso, que queda cerrado un cuarto de hora.",
        "locked": "Se han probado muchísimas contraseñas equivocadas en su cuenta. Durante un día solo se abre con una llave de acceso o en un navegador con el que ya haya entrado.",
    },
}
"""What happened to an account, by the word in accounts.notes; "changed" when the note is gone."""
WHEN = {"en": "d MMMM yyyy, HH:mm", "es": "d 'de' MMMM 'de' yyyy, HH:mm"}

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
