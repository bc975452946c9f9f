"""A version folder is whole or absent, whatever happens while it is written."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

from export import folders
from export.folders import version_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write(directory, text, version=1, overwrite=False):
    with version_folder(directory, version, overwrite) as path:
        pathlib.Path(path, "model").write_text(text)


def names(directory):
    return sorted(os.listdir(directory))


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with version_folder(tmp_path / "new", 3, False) as path:
        pathlib.Path(path, "model").write_text("one")
        assert not [name for name in names(tmp_path / "new") if name.isdigit()]
    assert names(tmp_path / "new") == ["3"]
    assert (tmp_path / "new" / "3" / "model").read_text() == "one"
    # A server runs as another user.
    (tmp_path / "usual").mkdir()
    assert (tmp_path / "new" / "3").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), version_folder(tmp_path, 1, False) as path:
        pathlib.Path(path, "model").write_text("half")
        raise KeyError
    assert names(tmp_path) == []


@pytest.mark.parametrize("exchange", [True, False])
def test_overwriting_replaces_the_whole_folder(tmp_path, monkeypatch, exchange):
    if not exchange:  # as on a file system that cannot swap two names
        monkeypatch.setattr(folders, "_rename_exchange", lambda *_: False)
    write(tmp_path, "one")
    (tmp_path / "1" / "more").write_text("")
    write(tmp_path, "two", overwrite=True)
    assert names(tmp_path) == ["1"] and names(tmp_path / "1") == ["model"]
    assert (tmp_path / "1" / "model").read_text() == "two"


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_the_old_version_never_goes_missing(tmp_path, monkeypatch):
    write(tmp_path, "one")
    monkeypatch.setattr(os, "rename", lambda *_: pytest.fail("two steps where one would do"))
    write(tmp_path, "two", overwrite=True)
    assert (tmp_path / "1" / "model").read_text() == "two"


def test_a_failure_while_overwriting_keeps_the_old_version(tmp_path, monkeypatch):
    write(tmp_path, "one")
    with pytest.raises(KeyError), version_folder(tmp_path, 1, True):
        raise KeyError
    monkeypatch.setattr(folders, "_rename_exchange", lambda *_: False)
    with pytest.raises(FileNotFoundError), version_folder(tmp_path, 1, True) as path:
        shutil.rmtree(path)
    assert names(tmp_path) == ["1"] and (tmp_path / "1" / "model").read_text() == "one"


def test_an_existing_version_is_an_error(tmp_path):
    write(tmp_path, "one")
    with pytest.raises(ValueError, match="version: .*1 exists; .*overwrite"):
        write(tmp_path, "two")
    assert (tmp_path / "1" / "model").read_text() == "one"


def test_of_two_writers_the_slower_one_fails(tmp_path):
    with pytest.raises(ValueError, match="version: .*1 exists"):
        with version_folder(tmp_path, 1, False):
            write(tmp_path, "faster")
    assert names(tmp_path) == ["1"] and (tmp_path / "1" / "model").read_text() == "faster"


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None, 2**63])
def test_a_version_is_a_positive_integer(tmp_path, version):
    with pytest.raises(ValueError, match="version: expected a positive integer, got"):
        write(tmp_path, "one", version=version)
    assert names(tmp_path) == []


def test_a_file_in_place_of_the_directory_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="directory: expected a folder that can be written to"):
        write(tmp_path / "file", "one")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_write_permission_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="directory: expected a folder that can be written to"):
        write(tmp_path, "one")


KILLED = """
import sys, time
import tfflows
from export import checks, save

def written(path):
    print("written", flush=True)
    time.sleep(600)

checks.check = written
save(tfflows.models.AffineFlow(2), sys.argv[1], overwrite=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("before", [[], ["1"]])
def test_a_save_that_is_killed_leaves_no_half_version(tmp_path, before):
    if before:
        write(tmp_path, "old")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    assert [name for name in names(tmp_path) if name.isdigit()] == before
    (scratch,) = set(names(tmp_path)) - {"1"}
    assert scratch.startswith(".writing-")  # it had begun
    if before:
        assert (tmp_path / "1" / "model").read_text() == "old"
