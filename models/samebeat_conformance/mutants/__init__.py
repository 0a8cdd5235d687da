"""Mutants: the production core with one mistake put in; does anything notice?

``table/*.toml`` has those that were thought of, ``generated`` those that a program makes. The
``runner`` puts each into a copy of the core and runs the ``layers`` on it, one after the other.
"""
