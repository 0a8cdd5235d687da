"""The proofs as they were when every obligation was met: name and fingerprint.

``samebeat assurance`` counts a promise as proved only by a proof that is recorded here. When a spec
or a proof changes, ``samebeat prove`` shows its fingerprint; record it here once all is proved.
"""

from __future__ import annotations

VERIFIED = {
    "group": "876ecda6f492f25a",
    "pair": "d617191f855bd7c1",
    "heartbeat": "ac57789d11fc9c7e",
    "composed": "6bd779edd160bec9",
    "cluster": "03f53d6d8d1db4a8",
    "limits": "0b6747662ce7b734",
    "loss-time": "e17b3d75a0761171",
    "transport": "b082041e8df00027",
}
