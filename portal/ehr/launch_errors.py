"""Why somebody who came from the clinic's sign-in is not let in, each in the words they read."""

from portal.errors import NotAllowed, PortalError


class Unexpected(PortalError):
    """The person signed in at the clinic's system, and has no place here yet."""

    status = 403
    title = "You do not have an account here yet"
    sentence = "Open the link in the invitation from your clinic first. After that you can sign in this way."


class OtherPerson(PortalError):
    """The record that was chosen is not the record of this account."""

    status = 403
    title = "That is another person's record"
    sentence = (
        "The record that was chosen at the clinic's system is not the one of this account. "
        "Nothing was connected. Your clinic has been told."
    )


class NotSelf(PortalError):
    status = 403
    title = "You signed in for somebody else"
    sentence = (
        "At the clinic's system you chose the record of another person. Here everybody signs in to their own account."
    )


class NotTied(PortalError):
    status = 409
    title = "Your clinic has to find your record first"
    sentence = "Your clinic has not yet tied this account to your medical record. It will do so before your visit. Then you can connect it."


class NotOurServer(PortalError):
    """Bar 29: whoever asks, no request goes to a server that nobody registered."""

    status = 403
    title = "This system is not connected here"
    sentence = "Previsit was opened from a system that no administrator has connected. Nothing was sent there."


class WeakSignIn(NotAllowed):
    sentence = (
        "The clinic's system did not say that you signed in there in the way that this clinic asks for, or it was too long ago. "
        "Sign in here instead."
    )
