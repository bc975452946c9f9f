"""The check of installed versions at import: every way it can fail, and that it passes here."""

import ast
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys

import pytest

from tfflows import versions


@pytest.fixture
def installed(monkeypatch):
    """Replaces what is installed by a dict, distribution to version, that passes the check."""
    found = {dist: f"{low}.0" for dist, low, _ in versions.REQUIRED.values()}

    def version(name):
        if name not in found:
            raise importlib.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(versions, "_keras_backend", lambda: "tensorflow")
    return found


def test_passes_on_what_is_installed():
    versions.check()


@pytest.mark.parametrize("module", versions.REQUIRED)
def test_the_whole_range_passes(installed, module):
    distribution, low, high = versions.REQUIRED[module]
    versions.check()
    major, minor = (int(part) for part in high.split("."))
    installed[distribution] = f"{major}.{minor - 1}.99"
    versions.check()
    installed[distribution] = f"{low}.0rc1"
    versions.check()


@pytest.mark.parametrize("module", versions.REQUIRED)
@pytest.mark.parametrize("end", ["low", "high"])
def test_version_outside_the_range(installed, module, end):
    distribution, low, high = versions.REQUIRED[module]
    major, minor = (int(part) for part in low.split("."))
    wrong = {"low": f"{major}.{minor - 1}.9", "high": f"{high}.0"}[end]
    installed[distribution] = wrong
    with pytest.raises(ImportError) as error:
        versions.check()
    assert str(error.value) == (
        f"tfflows needs {distribution} >={low},<{high}, but {distribution} {wrong} is installed: "
        f"pip install '{distribution}>={low},<{high}'"
    )


@pytest.mark.parametrize("module", versions.REQUIRED)
def test_package_missing(installed, monkeypatch, module):
    distribution, low, high = versions.REQUIRED[module]
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else object()
    )
    with pytest.raises(ImportError) as error:
        versions.check()
    assert str(error.value) == (
        f"tfflows needs {distribution} >={low},<{high}, which is not installed: "
        f"pip install '{distribution}>={low},<{high}'"
    )


def test_variant_of_tensorflow_is_named_by_its_own_name(installed):
    del installed["tensorflow"]
    installed["tensorflow-cpu"] = "2.21.1"
    versions.check()
    installed["tensorflow-cpu"] = "2.19.0"
    with pytest.raises(ImportError, match="pip install 'tensorflow-cpu>="):
        versions.check()


def test_build_without_metadata_is_asked_for_its_version(installed, monkeypatch):
    del installed["keras"]
    monkeypatch.setattr(
        importlib, "import_module", lambda name: type("keras", (), {"__version__": "2.15.0"})
    )
    with pytest.raises(ImportError, match="but keras 2.15.0 is installed"):
        versions.check()


def test_other_keras_backend(installed, monkeypatch):
    monkeypatch.setattr(versions, "_keras_backend", lambda: "jax")
    with pytest.raises(ImportError, match="Keras is set to 'jax': set KERAS_BACKEND=tensorflow"):
        versions.check()


def test_import_of_tfflows_runs_the_check_first():
    """The message comes out of `import tfflows` in one piece, before Keras fails its own way."""
    program = (
        "import importlib.metadata as m; v = m.version; "
        "m.version = lambda n: '9.9.9' if n == 'keras' else v(n); import tfflows"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    low, high = versions.REQUIRED["keras"][1:]
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: tfflows needs keras >={low},<{high}, but keras 9.9.9 is installed: "
        f"pip install 'keras>={low},<{high}'"
    )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_import_on_another_keras_backend(monkeypatch, backend):
    """Installed or not (then `import keras` itself fails), the message is the same."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    done = subprocess.run([sys.executable, "-c", "import tfflows"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"ImportError: tfflows needs Keras on its TensorFlow backend, but Keras is set to "
        f"'{backend}': set KERAS_BACKEND=tensorflow"
    )


def test_setup_can_read_the_ranges_without_importing():
    tree = ast.parse(open(versions.__file__).read())
    literals = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id in ("VERSION", "REQUIRED")
    }
    assert literals == {"VERSION": versions.VERSION, "REQUIRED": versions.REQUIRED}
