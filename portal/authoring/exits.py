"""How a command ends: one code for fine, one for problems found, one for what cannot be read."""

from __future__ import annotations

FINE, PROBLEMS, UNREADABLE = 0, 1, 2


class CannotRead(Exception):
    """A file, folder or argument that makes no sense; the message is one sentence for the person at the keyboard.
    `file` is the name of the file, where it is about one."""

    def __init__(self, words: str, file: str = "") -> None:
        self.file = file
        super().__init__(words)
