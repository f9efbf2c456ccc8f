"""The schema's history, one file a step; `portal.db.migrate` walks it."""
