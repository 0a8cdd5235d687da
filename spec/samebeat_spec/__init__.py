"""samebeat's specification: the authority that every other part reads."""
