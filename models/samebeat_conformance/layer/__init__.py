"""The message layer of the core against the spec `link`: a sender's channel and a receiver's."""
