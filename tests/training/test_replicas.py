"""One replica, two logical devices and two workers come to the same parameters."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).with_name("replicas.py")
ROOT = SCRIPT.parent.parent.parent


def start(kind, family, folder, tf_config=None):
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("TF_CONFIG", None)
    if tf_config:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), kind, family, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    try:
        output, _ = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 0, output[-3000:]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("localhost", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def check_equal(first, second):
    a, b = np.load(first / "weights.npz"), np.load(second / "weights.npz")
    assert a.files == b.files
    for name in a.files:
        np.testing.assert_allclose(a[name], b[name], atol=1e-5)
    losses = [json.loads((folder / "result.json").read_text()) for folder in (first, second)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["RealNVP", "MAF"])
def test_two_logical_devices_and_one(tmp_path, family):
    runs = [start(kind, family, tmp_path / kind) for kind in ("one", "mirrored")]
    for run in runs:
        finish(run)
    check_equal(tmp_path / "one", tmp_path / "mirrored")


@pytest.mark.slow
def test_act_norms_of_images_start_alike_on_two_logical_devices_and_one(tmp_path):
    runs = [start(kind, "Glow", tmp_path / kind) for kind in ("one", "mirrored")]
    for run in runs:
        finish(run)
    one, two = (np.load(tmp_path / kind / "weights.npz") for kind in ("one", "mirrored"))
    assert len(two.files) == 2 * len(one.files)
    for name in one.files:
        for replica in (0, 1):
            np.testing.assert_array_equal(one[name], two[f"{name[:-1]}{replica}"])
    assert any(np.ptp(one[name]) > 0.1 for name in one.files if one[name].ndim == 1)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["RealNVP", "MAF"])
def test_two_workers_and_one(tmp_path, family):
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    workers = [
        start(
            "multi_worker",
            family,
            tmp_path / "workers",
            {"cluster": cluster, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    one = start("one", family, tmp_path / "one")
    for run in [*workers, one]:
        finish(run)
    check_equal(tmp_path / "one", tmp_path / "workers")
    # The second worker wrote nothing: one event file, and no temporary one.
    assert len(list((tmp_path / "workers" / "events").iterdir())) == 1
    assert not list((tmp_path / "workers").rglob(".tmp*"))
