"""The tree of what can go wrong, each with the words a person sees; foreign errors are translated into it at the edge.

PortalError
├── NotFound              404  there is nothing here for this person (also: not theirs)
├── SignInNeeded          401  nobody is signed in, or the session has ended
├── NotAllowed            403  signed in, but this is not theirs to do
├── Conflict              409  somebody, or another tab, was faster
│   ├── OtherSubject      409  typed on a page for another patient than this session answers for now
│   └── StaleVersion      409  what was shown is no longer what is stored
├── Gone                  410  a link that has been used, or has run out
├── Unreadable            400  the request makes no sense
├── TooLarge              413  more than we take
├── TooMany               429  too many tries
├── Busy                  503  not now; nothing was lost
├── NotBrought            502  the clinic's system did not give a document that it has
└── Misconfigured         500  a setting is missing or unsafe (stops start-up)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


class PortalError(Exception):
    """Something must stop. `title` and `sentence` are shown to a person and never hold health data."""

    status = 500
    title = "Sorry, something went wrong"
    sentence = "Nothing you saved is lost. Please try again in a moment."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.sentence)
        if sentence:
            self.sentence = sentence


class NotFound(PortalError):
    status = 404
    title = "There is nothing here"
    sentence = "The page does not exist, or it is not yours to see."


class SignInNeeded(PortalError):
    status = 401
    title = "Please sign in"
    sentence = "You are not signed in, or your session has ended."


class NotAllowed(PortalError):
    status = 403
    title = "You cannot open this"
    sentence = "Your account does not allow this."


class Conflict(PortalError):
    status = 409
    title = "Somebody was faster"
    sentence = "This has already been done. Open it again to see where it stands."


class StaleVersion(Conflict):
    title = "This changed while you had it open"
    sentence = "It was changed in another tab or on another device. Nothing was overwritten."


class OtherSubject(Conflict):
    title = "You answer for somebody else now"
    sentence = "This page was for another person than the one you answer for now. Nothing was sent."


class Gone(PortalError):
    status = 410
    title = "This link no longer works"
    sentence = (
        "It was used, its time is over, or something wrong was typed too often. Your clinic can give you a new one."
    )


class Unreadable(PortalError):
    status = 400
    title = "We could not read that"
    sentence = "What your browser sent could not be read. Go back and try again."


class TooLarge(PortalError):
    status = 413
    title = "That is too large"
    sentence = "What you sent is larger than this site accepts."


class TooMany(PortalError):
    status = 429
    title = "Too many tries"
    sentence = "Please wait a few minutes and try again."


class Busy(PortalError):
    status = 503
    title = "We are busy"
    sentence = "What you typed was not saved. Wait a moment and send it again."


class NotBrought(PortalError):
    status = 502
    title = "We could not get this document"
    sentence = "Ask the clinic for a copy."


class Misconfigured(PortalError):
    """Start-up refuses with this sentence; it names the setting and what to do."""

    title = "Not set up"


@dataclass(frozen=True)
class Issue:
    """An expected mistake, as a value. `where` names the field; `message` is an English msgid filled with `params`."""

    where: str
    code: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self) -> str:
        return self.message % self.params if self.params else self.message
