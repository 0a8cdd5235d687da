"""Simulation: many random walks at once, for models too large to explore.

It shows that a property is violated, by a run, and never that one holds.
"""

from samebeat_models.simulation.results import Options, Simulation
from samebeat_models.simulation.verdicts import simulate_model

__all__ = ["Options", "Simulation", "simulate_model"]
