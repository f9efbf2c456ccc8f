"""The clinic's form library: forms in their versions, which are asked before which visits, and the answers their lists offer."""
