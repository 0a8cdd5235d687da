"""Simulation: many random walks at once, for models too large to explore.

It shows that a property is violated, by a run, and never that one holds.
"""
