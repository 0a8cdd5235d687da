"""Refinement, checked: every run of a concrete instance, projected, is a run of an abstract one.

``check`` looks at whole graphs, ``naive`` at single steps (it loads no arrays), ``findings`` at the
refinements of a catalog's model.
"""
