"""Liveness: is there an infinite run that is fair and never comes to its goal?

The answer is exact, over the whole state graph, and a run that shows it is a real one: a way into
a loop, and the loop.
"""
