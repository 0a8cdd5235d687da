"""Two cores against the spec `pair`: changes of a heartbeat pair, by the indicator."""
