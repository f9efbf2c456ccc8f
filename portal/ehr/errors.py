"""What can go wrong with a clinic's server; service functions turn it into a Reading's reason, so people rarely see it raised.

EhrError
├── Unregistered     an address that is not the registered server's: nothing was sent there
├── NotReached       no whole answer came (`failure` says where it ended, `sent` whether anything left)
├── Refused          the server answered with an error status (`status`, `outcome`)
│   ├── NotThere     404 or 410
│   ├── NotPermitted 403: our permission does not reach this
│   └── TryLater     429, 503 and 425; `retry_after` in seconds
├── NotFhir          an answer that is not the FHIR we asked for
│   └── FilterIgnored  the server did not use a filter we set
├── NotSmart         the discovery document is missing or cannot be used
├── OnlyPeople       we are registered there for people who sign in, not as a service of our own
├── NoCredential     the token endpoint gave no token (`code` is its OAuth error)
├── NotProven        a sign-in at the clinic's system whose proof does not hold
└── Changed          the server is no longer the one an administrator confirmed

No message holds an address beyond the registered server's, a token, or health data; `outcome` may, and is never in the text.
"""

from typing import Any

from portal.errors import PortalError


class EhrError(PortalError):
    status = 503
    title = "We cannot reach your clinic's system"
    sentence = "Your clinic's system could not be read just now. Nothing you saved is lost."


class Unregistered(EhrError):
    sentence = "An address was refused because it is not your clinic's registered system."


class NotReached(EhrError):
    def __init__(self, failure: str, *, sent: bool) -> None:
        super().__init__(f"The clinic's system did not answer in full ({failure}).")
        self.failure = failure
        self.sent = sent


class Refused(EhrError):
    def __init__(self, code: int, outcome: dict[str, Any] | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"The clinic's system answered with an error ({code}).")
        self.code = code
        self.outcome = outcome
        self.retry_after = retry_after


class NotThere(Refused):
    pass


class NotPermitted(Refused):
    pass


class TryLater(Refused):
    pass


class NotFhir(EhrError):
    sentence = "The clinic's system gave an answer that could not be read."


class FilterIgnored(NotFhir):
    sentence = "The clinic's system did not answer the question that was asked."


class NotSmart(EhrError):
    sentence = "The clinic's system does not describe how to sign in to it."


class OnlyPeople(EhrError):
    sentence = "The clinic's system knows Previsit only for people who sign in, not as a service."


class NoCredential(EhrError):
    """`terminal`: asking again with the same registration cannot help, a person must act."""

    def __init__(self, code: str, *, terminal: bool, retry_after: float | None = None) -> None:
        super().__init__(f"The clinic's system did not let us sign in ({code}).")
        self.code = code
        self.terminal = terminal
        self.retry_after = retry_after


class NotProven(EhrError):
    status = 403
    title = "We could not confirm who signed in"
    sentence = (
        "The sign-in at the clinic's system could not be confirmed. Nobody was signed in and nothing was connected."
    )


class Changed(EhrError):
    sentence = "The clinic's system is not the one that was confirmed. An administrator has to look at it."
