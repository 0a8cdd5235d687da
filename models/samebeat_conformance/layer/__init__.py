"""The message layer of the core against the spec `transport`: a sender's channel and a receiver's.

There one window counts for all members; here each member has a channel of its own. So one channel
is that spec with one member.
"""
