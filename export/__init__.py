"""SavedModels for TF Serving: `export.save`, `export.check` and `python -m export`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from export.checks import check
    from export.saved_model import save

__all__ = ["check", "save"]


def __getattr__(name: str):
    # On first use, so that `python -m export` can quiet TensorFlow before it is imported.
    if name == "save":
        from export.saved_model import save

        return save
    if name == "check":
        from export.checks import check

        return check
    raise AttributeError(f"module 'export' has no attribute {name!r}")
