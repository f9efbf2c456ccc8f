"""Commands for form authors and integrators: `portal questionnaire …` and `portal fhirpath …`, the engine without the pages.

Whatever is asked, standard output holds JSON or nothing and the exit code says how it went: FINE, PROBLEMS or UNREADABLE.
Nothing is stored and no network is asked: value sets, modules and records are what the command was given.
"""
