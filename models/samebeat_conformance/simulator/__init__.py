"""Clusters of cores in virtual time: one seed is one run, with faults, and each run can be shrunk.

`cluster` has the machines, disks, clocks and the network, `faults` what may go wrong, `promises`
what must hold all the same, `run` one run from a seed, `shrink` what is left of one that failed,
`campaign` many runs, and `scenario` runs that measure something.
"""
