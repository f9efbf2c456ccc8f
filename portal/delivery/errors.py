"""What can go wrong in delivery.

PortalError
├── Conflict
│   ├── LeaseLost      another worker, or a person, has taken the item over: whoever holds the old lease must stop
│   ├── AlreadyQueued  the same round of a submission with other content
│   ├── NotHeld        a person wants to work on an item that is not held (any more)
│   └── MayBeThere     a person wants it reviewed again though some of it may be in the record
└── Undeliverable      a Bundle that could not be delivered exactly once; a programming error above, never a person's
"""

from portal.errors import Conflict, PortalError


class LeaseLost(Conflict):
    sentence = "Another worker has taken this over."


class AlreadyQueued(Conflict):
    sentence = "These answers were already accepted, with other content."


class NotHeld(Conflict):
    sentence = "This is no longer on hold. Open it again to see where it stands."


class MayBeThere(Conflict):
    sentence = "Some of this may be in the record. Check and send again first, so that nothing is there twice."


class Undeliverable(PortalError):
    def __init__(self, problems: list[str]) -> None:
        super().__init__()
        self.problems = problems
