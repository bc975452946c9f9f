"""SavedModels for TF Serving: `export.save`, `export.check` and `python -m export`."""

from export.checks import check, signatures
from export.saved_model import save

__all__ = ["check", "save", "signatures"]
