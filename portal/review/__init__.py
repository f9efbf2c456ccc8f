"""The staff desk: queue, matching, proposals, decisions, hold, ask back."""
