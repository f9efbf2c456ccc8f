"""Messages to patients: that there is something to do or to know, never what. Planned from what is stored, sent by the worker."""
