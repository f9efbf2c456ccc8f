"""A message as an e-mail, and the two ways out: an SMTP server over TLS, or a folder (the demo's mailbox)."""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from portal.clock import now
from portal.notices.models import Kind
from portal.notices.wording import CLOSING, STOP, STOPPABLE, WORDS
from portal.settings import Settings

SECONDS = 20.0


class NotTaken(Exception):
    """This address will not take it, now or later."""


class NotNow(Exception):
    """The mail server did not take it; another time it may."""


@dataclass(frozen=True)
class Letter:
    """Everything that goes into one message. `stop` is the address that ends reminders, or empty."""

    id: str
    kind: Kind
    to: str
    language: str
    clinic: str
    phone: str
    link: str
    stop: str
    sender: str
    said: str = ""
    when: str = ""
    """of a message about somebody's way in: what happened, in a sentence, and when"""


class Post(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Raises NotTaken or NotNow."""


def written(letter: Letter) -> EmailMessage:
    """Text and simple HTML with the same words; RFC 8058 headers where reminders can be stopped. ValueError for no address."""
    language = letter.language if letter.language in WORDS else "en"
    words = WORDS[language][letter.kind]
    put = {
        "clinic": letter.clinic,
        "phone": letter.phone,
        "said": letter.said,
        "when": letter.when,
        "site": letter.link,
    }
    lines = [line.format(**put) for line in words.lines]
    closing = [
        line.format(clinic=letter.clinic, phone=letter.phone) for line in CLOSING[language][0 if words.link else 1 :]
    ]
    host = urlsplit(letter.link).hostname or "localhost"
    made = EmailMessage()
    made["Subject"] = words.subject.format(clinic=letter.clinic)
    made["From"] = Address(letter.clinic, addr_spec=letter.sender)
    made["To"] = Address(addr_spec=letter.to)
    made["Date"] = format_datetime(now())
    made["Message-ID"] = f"<{letter.id}@{host}>"
    made["Auto-Submitted"] = "auto-generated"
    stop = [STOP[language], letter.stop] if letter.stop and letter.kind in STOPPABLE else []
    if stop:
        made["List-Unsubscribe"] = f"<{letter.stop}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(
        "\n\n".join(
            [*lines, *[f"{words.link}:\n{letter.link}"] * bool(words.link), *closing, *[":\n".join(stop)] * bool(stop)]
        )
        + "\n"
    )
    made.add_alternative(_html(language, lines, (words.link, letter.link), closing, stop), subtype="html")
    made["Content-Language"] = language
    return made


def _html(language: str, lines: list[str], link: tuple[str, str], closing: list[str], stop: list[str]) -> str:
    text, address = map(escape, link)
    parts = [f"<p>{escape(line)}</p>" for line in lines]
    if text:
        parts.append(f'<p><a href="{address}"><strong>{text}</strong></a></p>')
    parts += [f"<p>{escape(line)}</p>" for line in closing]
    if stop:
        parts.append(f'<p><a href="{escape(stop[1])}">{escape(stop[0])}</a></p>')
    return f'<!doctype html><html lang="{language}"><meta charset="utf-8"><body>{"".join(parts)}</body></html>'


@dataclass(frozen=True)
class SmtpPost:
    """An SMTP server; without TLS only on this machine. The certificate is checked."""

    host: str
    port: int
    user: str
    password: str
    tls: str
    """"" (this machine only), "starttls" or "implicit" """

    def send(self, message: EmailMessage) -> None:
        try:
            with self._open() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise (NotTaken if all(500 <= code < 600 for code in codes) else NotNow) from None
        except (smtplib.SMTPDataError, smtplib.SMTPHeloError) as refused:
            raise (NotTaken if 500 <= refused.smtp_code < 600 else NotNow) from None
        except smtplib.SMTPNotSupportedError:
            raise NotTaken from None
        except (smtplib.SMTPException, OSError):
            raise NotNow from None

    def _open(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        if self.tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


@dataclass(frozen=True)
class FolderPost:
    """Every message as a file: the demo's mailbox."""

    folder: Path

    def send(self, message: EmailMessage) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        place = self.folder / f"{now():%Y%m%dT%H%M%S%f}-{name}.eml"
        part = place.with_suffix(".part")
        part.write_bytes(message.as_bytes())
        part.replace(place)


def post(settings: Settings) -> Post | None:
    """The way out that the settings name; None when no messages are sent."""
    if settings.mail == "folder":
        return FolderPost(settings.instance / "mail")
    parts = urlsplit(settings.mail)
    if not parts.hostname:
        return None
    tls = {"smtps": "implicit", "smtp+starttls": "starttls"}.get(parts.scheme, "")
    port = parts.port or {"implicit": 465, "starttls": 587}.get(tls, 25)
    return SmtpPost(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""), tls)
