"""samebeat in production: one node of a cluster that changes its parameters while it runs.

What is here is the node's logic alone: no clock, no socket, no randomness, no file. A host passes
in what has happened and the time, and does what the node asks for (see ``node``).
"""

from samebeat.codec import ProtocolError
from samebeat.config import Config
from samebeat.journal import JournalError, JournalLost
from samebeat.node import Node, Refused
from samebeat.parameters import Assumptions, Settings

__all__ = [
    "Assumptions",
    "Config",
    "JournalError",
    "JournalLost",
    "Node",
    "ProtocolError",
    "Refused",
    "Settings",
]
