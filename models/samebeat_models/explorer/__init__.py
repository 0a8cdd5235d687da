"""The explorer: every reachable state of a finite instance, packed exactly and vectorised."""

from samebeat_models.explorer.search import explore

__all__ = ["explore"]
