"""How the repository is laid out: one way of imports, a BUILD a package, no path of one machine."""

import ast
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# What each package may import of the other two.
MAY_IMPORT = {
    **{"tfflows": set(), "zoo": {"tfflows"}, "export": {"tfflows", "zoo"}},
    "tools": {"tfflows", "zoo", "benchmarks"},  # a report of stored runs
}


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def modules(source: str) -> set[str]:
    """Modules that a file imports at any depth of its code, and what it takes out of them."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update({node.module, *(f"{node.module}.{a.name}" for a in node.names)})
    return names


def imported(source: str) -> set[str]:
    """Top-level packages that a module imports, at any depth of its code."""
    return {name.split(".")[0] for name in modules(source)}


def machine_paths() -> re.Pattern:
    """What a path of the machine at hand looks like: home folders, and where the checkout is."""
    places = {str(ROOT), str(Path.home())}
    if ROOT.parent not in (Path("/"), Path(tempfile.gettempdir())):
        places.add(str(ROOT.parent))
    places.discard("/")
    here = "|".join(re.escape(place) for place in sorted(places))
    return re.compile(rf"(?<![\w.~-])(?:(?:{here})(?:/|\b)|/(?:home|Users)/\w)")


def committed_files() -> list[Path]:
    """Files that git tracks or would track."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package):
    assert sources(package), f"{package} has no modules"
    others = {*MAY_IMPORT, "tests", "benchmarks"} - {package} - MAY_IMPORT[package]
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in sources(package)
        if (found := imported(path.read_text()) & others)
    }
    assert not wrong


def test_imports_are_found_wherever_they_stand():
    source = "import zoo.registry as r\ndef f():\n  from export import save\n  from .zoo2 import x"
    assert imported(source) == {"zoo", "export"}


def test_no_test_file_imports_another():
    """Bazel runs each test file with the helpers alone beside it."""
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("tests")
        for name in modules(path.read_text())
        if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")
    }
    assert not wrong


def test_every_package_has_a_build_file():
    folders = {path.parent for package in MAY_IMPORT for path in sources(package)}
    # The many folders of configs are one target.
    folders -= {folder for folder in folders if ROOT / "zoo" / "configs" in folder.parents}
    missing = [
        str(folder.relative_to(ROOT)) for folder in folders if not (folder / "BUILD").exists()
    ]
    assert not missing


def test_every_subpackage_is_part_of_the_library_target():
    folders = {path.parent for path in sources("tfflows")} - {ROOT / "tfflows"}
    build = (ROOT / "tfflows" / "BUILD").read_text()
    missing = [
        name for folder in folders if f'"//{(name := folder.relative_to(ROOT))}"' not in build
    ]
    assert not missing


def test_no_file_names_a_path_of_one_machine():
    pattern = machine_paths()
    found = []
    for path in committed_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # weights, pictures
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found


def test_machine_paths_are_recognised():
    pattern = machine_paths()
    for path in (ROOT / "README.md", Path.home() / "x.csv", "/" + "home/ann/data.csv"):
        assert pattern.search(f'read("{path}")')
    assert not pattern.search("https://example.org/home/page and ~/.keras and zoo/home")
