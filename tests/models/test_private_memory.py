"""What lives in files is no private memory: measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

GROWTH = """
import sys
from pathlib import Path
import numpy as np
from samebeat_models.explorer.folder import Folder
from samebeat_models.explorer.store import Memory, Store, sorted_unique
from samebeat_models.progress import resident_bytes

words = int(sys.argv[1])
store = Store(words, Folder(Path(sys.argv[2])) if sys.argv[2:] else Memory())
random = np.random.default_rng(7)
before = resident_bytes()
for _ in range(20):
    store.add_level(sorted_unique(random.integers(0, 2**63, (words, 200_000), np.uint64)))
print((resident_bytes() - before) / store.count)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="nothing tells private memory")
@pytest.mark.parametrize("words", [1, 2])
def test_states_in_a_folder_take_no_private_memory(words, tmp_path):
    def bytes_a_state(*folder: Path) -> float:
        command: list[str | Path] = [sys.executable, "-c", GROWTH, str(words), *folder]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert bytes_a_state() > 12 * words
    assert bytes_a_state(tmp_path) < 8
