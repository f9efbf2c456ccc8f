"""The clinic's record: SMART connections, discovery, tokens, a client that believes nothing unread, and reads with freshness."""
