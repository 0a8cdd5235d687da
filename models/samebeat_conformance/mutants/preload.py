"""Imported once by the process that layers are forked from: what they share is made here."""

from samebeat_conformance.mutants import prepared

for _name in prepared.CLUSTERS:
    prepared.graph_of(_name)
prepared.wrong_runs()
