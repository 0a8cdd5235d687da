"""What is said of a step of the spec that the cores should take, and never do."""

from __future__ import annotations

NEVER = "no core takes it"
