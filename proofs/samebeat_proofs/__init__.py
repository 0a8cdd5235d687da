"""Proofs of the specs for every number of nodes, changes and epochs.

A proof reads the same spec object as every other reader, and owes nothing to the explorer. It is a
list of facts that hold at the start and that every action keeps (`facts`), cut into many small
obligations (`obligations`), each of which a solver refutes or not (`engine`).
"""
