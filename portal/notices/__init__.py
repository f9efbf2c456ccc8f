"""Messages to patients: that there is something to do or to know, never what. Planned from what is stored, sent by the worker.

Decided: messages are worked out from what is stored, not sent by what happens: the worker looks what is due, each thing is told once, and
a worker that died with one in hand leaves it to the next. A message says that there is something, never what, when or with whom.
"""
