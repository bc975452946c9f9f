"""Lossless compression by a model's probabilities: `Codec`.

It needs the package `constriction` (`pip install 'tfflows[codec]'`).
"""

from tfflows.codec.codec import Codec, check_model, fingerprint

__all__ = ["Codec", "check_model", "fingerprint"]
