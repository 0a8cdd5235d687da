"""Which rows of a long table are in the fast share of the tests."""

from collections.abc import Collection, Mapping
from typing import Any

import pytest

EVERY = 4


def some(table: Mapping[str, Any], but: Collection[str] = ()) -> list[Any]:
    """Return a parameter for each row, key and value; all but each fourth are marked slow.

    So are those named in ``but``, which take longer than a fast test may.
    """
    return [
        pytest.param(key, value, id=key, marks=pytest.mark.slow if i % EVERY or key in but else ())
        for i, (key, value) in enumerate(table.items())
    ]
