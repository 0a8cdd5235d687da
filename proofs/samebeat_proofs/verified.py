"""The proofs as they were when every obligation was met: name and fingerprint.

``samebeat assurance`` counts a promise as proved only by a proof that is recorded here. When a spec
or a proof changes, ``samebeat prove`` shows its fingerprint; record it here once all is proved.
"""

from __future__ import annotations

VERIFIED = {
    "group": "b00f5411b2fa99cf",
    "pair": "d544b22de42a0ed1",
    "heartbeat": "c26b7120ccc84ce0",
    "composed": "5e1b21a2dc49f1e9",
    "cluster": "d9e2bf1ddc3959c4",
    "timed_cluster": "eda68f040f0726ef",
    "limits": "97b85585197c9d9e",
    "loss-time": "e2001a667024eb42",
    "transport": "548ed7f3d80af484",
    "link": "f782c8b01132e68b",
}
