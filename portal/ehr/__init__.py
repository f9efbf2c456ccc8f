"""The clinic's record: SMART connections, discovery, tokens, a client that believes nothing unread, and reads with freshness.

Decided: it stands above `accounts`, for whose record is read is the account's to say.
"""
