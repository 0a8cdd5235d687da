"""Finite instances of the spec and the engines that explore them."""

from samebeat_models.catalog import Model, Tier, Without

__all__ = ["Model", "Tier", "Without"]
