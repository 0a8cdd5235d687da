"""The visited set: it holds what Python's sets hold, also where keys collide, and also on disk."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samebeat_models.errors import DiskError
from samebeat_models.explorer import folder
from samebeat_models.explorer import store as module
from samebeat_models.explorer.folder import Folder
from samebeat_models.explorer.layout import Words
from samebeat_models.explorer.store import (
    Memory,
    Place,
    Runs,
    Sorted,
    Store,
    keys_of,
    merged,
    sorted_unique,
)

State = tuple[int, ...]

SMALL = st.integers(0, 3)
ANY = st.one_of(SMALL, st.integers(0, 2**64 - 1), st.just(2**64 - 1), st.just(2**63))


def states_of(words: int) -> st.SearchStrategy[list[State]]:
    return st.lists(st.tuples(*[ANY] * words), max_size=40)


def batches_of(words: int) -> st.SearchStrategy[list[list[State]]]:
    return st.lists(states_of(words), max_size=8)


def columns(states: list[State], words: int) -> Words:
    return np.array(states, np.uint64).reshape(len(states), words).T.copy()


def rows(states: Words) -> list[State]:
    return [tuple(c) for c in states.T.tolist()]


def poor_keys(states: Words) -> npt.NDArray[np.uint64]:
    """A mix that sends nearly everything to one of three keys."""
    keys: npt.NDArray[np.uint64] = states[0] % np.uint64(3)
    return keys


@pytest.fixture(params=["good keys", "poor keys"], autouse=True, scope="module")
def keys(request):
    """Run every test with the real keys, and with ones that collide all the time."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "poor keys":
            real = keys_of
            for known in (module, folder):
                patch.setattr(
                    known, "keys_of", lambda s: real(s) if s.shape[0] == 1 else poor_keys(s)
                )
        patch.setattr(module, "CHUNK", 20)
        patch.setattr(module, "_FEWEST_SLOTS", 1 << 8)
        patch.setattr(folder, "_SMALL", 0)
        yield


@pytest.fixture(params=["memory", "folder"])
def places(request, tmp_path) -> Callable[[], Place]:
    """Return a place that is empty, as often as it is asked for one."""
    return Memory if request.param == "memory" else lambda: Folder(tmp_path)


def assert_sorted(states: Words) -> None:
    keys = module.keys_of(states)
    assert (keys[1:] >= keys[:-1]).all()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_sorting_keeps_every_state_once_in_order_of_keys(words):
    @settings(max_examples=20)
    @given(states_of(words))
    def check(states):
        found = sorted_unique(columns(states, words))
        assert sorted(rows(found)) == sorted(set(states))
        assert_sorted(found)

    check()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_positions_are_where_states_lie_and_minus_1_elsewhere(words):
    @settings(max_examples=20)
    @given(states_of(words), states_of(words))
    def check(held, wanted):
        states = sorted_unique(columns(held, words))
        asked = wanted + held
        found = Sorted(states).positions(columns(asked, words))
        order = {state: i for i, state in enumerate(rows(states))}
        assert found.tolist() == [order.get(state, -1) for state in asked]

    check()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_merged_states_are_those_of_both_in_order(words):
    @settings(max_examples=20)
    @given(states_of(words), states_of(words))
    def check(one, other):
        mine = sorted_unique(columns(one, words))
        theirs = sorted_unique(columns(other, words))
        both = list(merged([Sorted(mine), Sorted(theirs)]))
        states = np.concatenate([columns([], words), *(part.states for part in both)], axis=1)
        assert sorted(rows(states)) == sorted(set(one) | set(other))
        assert_sorted(states)
        assert all((part.keys == module.keys_of(part.states)).all() for part in both)

    check()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_levels_hold_each_state_once_where_it_was_first_seen(words, places):
    @settings(max_examples=20)
    @given(batches_of(words))
    def check(batches):
        store = Store(words, places())
        seen: dict[State, int] = {}
        for batch in batches:
            fresh = {state for state in batch if state not in seen}
            level = store.add_level(sorted_unique(columns(batch, words)))
            assert sorted(rows(level)) == sorted(fresh)
            if fresh:
                seen |= dict.fromkeys(fresh, len(store.levels) - 1)
            assert store.count == len(seen)
        if seen:
            states = columns(list(seen), words)
            levels, positions = store.find(states, near=len(store.levels) // 2)
            assert levels.tolist() == list(seen.values())
            found = zip(levels.tolist(), positions.tolist(), strict=True)
            assert [rows(store.levels[d])[i] for d, i in found] == list(seen)

    check()


@pytest.mark.parametrize("words", [1, 2])
def test_the_filter_grows_with_the_states_and_forgets_none(words, places):
    random = np.random.default_rng(7)
    store = Store(words, places())
    seen: set[State] = set()
    for _ in range(4):
        batch = random.integers(0, 500, (words, 100)).astype(np.uint64)
        fresh = set(rows(batch)) - seen
        level = store.add_level(sorted_unique(batch.copy()))
        assert set(rows(level)) == fresh
        seen |= fresh
    assert store.count == len(seen)
    assert store.add_level(sorted_unique(columns(list(seen), words))).shape[1] == 0


def test_an_empty_level_is_not_kept(places):
    store = Store(2, places())
    assert store.add_level(columns([], 2)).shape == (2, 0)
    assert len(store.levels) == 0


@pytest.mark.parametrize("words", [1, 2, 3])
def test_parts_are_gathered_each_state_once_and_few_parts_are_left(words, places):
    @settings(max_examples=20)
    @given(batches_of(words))
    def check(batches):
        runs = Runs(places())
        for batch in batches:
            runs.add(Sorted(sorted_unique(columns(batch, words))))
        held = list(merged(runs.parts))
        assert [s for part in held for s in rows(part.states)] == rows(
            sorted_unique(columns([s for batch in batches for s in batch], words))
        )
        sizes = [len(part) for part in runs.parts]
        assert all(size > 2 * sum(sizes[i + 1 :]) for i, size in enumerate(sizes[:-1]))

    check()


@pytest.mark.parametrize("words", [1, 2, 3])
def test_a_folder_holds_the_levels_that_memory_holds_to_the_last_bit(words, tmp_path):
    @settings(max_examples=20)
    @given(batches_of(words))
    def check(batches):
        stores = Store(words), Store(words, Folder(tmp_path))
        for batch in batches:
            levels = [s.add_level(sorted_unique(columns(batch, words))) for s in stores]
            assert (levels[0] == levels[1]).all()
        for one, other in zip(stores[0].levels, stores[1].levels, strict=True):
            assert (one == other).all()
        assert stores[0].nbytes == stores[1].nbytes

    check()


@pytest.mark.parametrize("words", [1, 2])
def test_a_filter_that_may_not_grow_only_says_less(words, tmp_path, monkeypatch):
    monkeypatch.setattr(Folder, "most_slots", 1 << 9)
    random = np.random.default_rng(7)
    store, seen = Store(words, Folder(tmp_path)), 0
    for _ in range(3):
        level = store.add_level(sorted_unique(random.integers(0, 500, (words, 100), np.uint64)))
        seen += level.shape[1]
        everything = np.concatenate(list(store.levels), axis=1)
        assert sorted_unique(everything).shape[1] == seen == store.count


def test_flags_are_false_until_they_are_set(places):
    flags = places().flags(1_000)
    assert not flags.any()
    flags[7] = True
    assert np.flatnonzero(flags).tolist() == [7]


def test_scratch_files_have_no_name(tmp_path):
    store = Store(2, Folder(tmp_path))
    for start in range(0, 60, 10):
        store.add_level(sorted_unique(columns([(i, i) for i in range(start, start + 10)], 2)))
    store.place.flags(100)
    assert {path.name for path in tmp_path.iterdir()} == {"levels", "keys"}


def test_a_folder_that_is_gone_is_one_error_that_names_it(tmp_path):
    missing = Folder(tmp_path / "missing")
    parts = [Sorted(columns([(i,)], 1)) for i in range(2)]
    for attempt in (lambda: Store(1, missing), lambda: missing.gather(parts)):
        with pytest.raises(DiskError, match=r"missing.*: cannot be written: No such file"):
            attempt()
