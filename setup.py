"""Package metadata; its version and those of TensorFlow and its kin are in tfflows/versions.py."""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def _literal(name: str):
    """Reads an assignment of tfflows/versions.py without importing tfflows (or TensorFlow)."""
    for node in ast.parse((ROOT / "tfflows" / "versions.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise RuntimeError(f"tfflows/versions.py assigns no {name}")


setup(
    name="tfflows",
    version=_literal("VERSION"),
    description="A model zoo of normalizing flows for TensorFlow: train, export, serve.",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["tfflows*", "zoo*", "export*"]),
    package_data={
        # Configs are files named on the command line as well as modules; weights come with cards.
        "zoo": [
            "datasets/*.npz",
            "configs/**/*.py",
            "pretrained/**/*.h5",
            "pretrained/**/*.json",
            "pretrained/**/*.md",
        ],
    },
    python_requires=">=3.11,<3.14",
    install_requires=[
        *(f"{name}>={low},<{high}" for name, low, high in _literal("REQUIRED").values()),
        "absl-py",
        "h5py",
        "matplotlib",
        "ml-collections",
        "numpy",
        "pandas",
        "pillow",
        "pyarrow",
        "scikit-learn",
        "tensorboard>=2.20",
        "tensorflow-datasets>=4.9.8",
    ],
    extras_require={
        "codec": ["constriction>=0.5,<0.6"],
        "molecules": ["rdkit>=2025.3.1"],
        "test": [
            *("constriction>=0.5,<0.6", "hypothesis", "rdkit>=2025.3.1"),
            *("pytest>=8", "pytest-xdist", "ruff>=0.17,<0.18"),
        ],
        "serving": ["tensorflow-serving-api>=2.21,<2.22"],
        "bench": ["flowjax", "nflows", "normflows", "torch", "zuko"],
        "docs": ["mkdocs-material", "mkdocstrings[python]"],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
