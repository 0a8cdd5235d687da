"""How many runs of clusters of which size there are, if nobody says otherwise."""

LEAST_NODES, MOST_NODES = 3, 9
RUNS = 40
SIZES = (3, 4, 3, 5, 3, 7, 3, 6, 4, 9, 3, 8)
"""The sizes of clusters, in turn; small ones fail sooner."""
