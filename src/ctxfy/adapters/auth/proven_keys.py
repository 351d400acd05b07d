"""
Whole keys that were proved, so that a key that comes with every request is proved once.
"""

from typing import NamedTuple

from ctxfy.core.models.auth_models import ApiKeyInfo, Granted


class ProvenKey(NamedTuple):
    """
    What came of a proof.

    Attributes:
        info: What was known of the key. The proof holds for as long as the very same is.
        granted: What was decided, the time apart.
    """

    info: ApiKeyInfo
    granted: Granted


class ProvenKeys:
    """
    Remembers proofs, bounded; the oldest goes first.

    Keys themselves are not kept, only what stands for them (`KeyMaterialPort.fingerprint`). What is
    no good is not remembered: whoever tries keys pays for each, and learns nothing by the time.

    Args:
        size: How many are remembered.
    """

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._proven: dict[bytes, ProvenKey] = {}

    def find(self, fingerprint: bytes) -> ProvenKey | None:
        """
        Return what was proved of a key, if anything was.
        """
        return self._proven.get(fingerprint)

    def keep(self, fingerprint: bytes, info: ApiKeyInfo, granted: Granted) -> None:
        """
        Remember a proof.
        """
        if len(self._proven) >= self._size and fingerprint not in self._proven:
            del self._proven[next(iter(self._proven))]
        self._proven[fingerprint] = ProvenKey(info, granted)
