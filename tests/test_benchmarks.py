"""The benchmark's command line, its table, and the flows that it times."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import speed, tables, with_tfflows
from benchmarks.tasks import LIBRARIES, TASKS, WHATS, Sizes, libraries_of

SCRIPT = Path(speed.__file__)
TINY = Sizes(
    **{"dim": 4, "batch": 8, "units": 8, "couplings": 2, "autoregressions": 2, "bins": 4},
    **{"image": (8, 8, 3), "images": 8, "levels": 2, "steps": 2, "channels": 8},
)


@pytest.mark.slow
def test_a_row_for_each_figure():
    small = ("--dim=4", "--batch=8", "--units=8", "--repeats=1", "--threads=1")
    command = [sys.executable, SCRIPT, "--lib=tfflows", "--task=maf", "--what=log_prob", *small]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"tfflows maf log_prob \d+\.\d\d ms\n", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_our_flows_run_and_learn(task):
    calls, parameters = with_tfflows.build(task, TINY)
    assert calls.keys() == set(WHATS) and parameters > 0
    event = TINY.image if task == "glow" else (TINY.dim,)
    assert calls["log_prob"]().shape == (8,)
    assert calls["sample"]().shape == (8, *event)
    first = calls["train_step"]()
    for _ in range(30):
        last = calls["train_step"]()
    assert last < first


@pytest.mark.slow
@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "tfflows"])
@pytest.mark.parametrize("task", TASKS)
def test_flows_of_peers_are_of_the_same_size(library, task):
    if not speed.installed(library):
        pytest.skip(f"{library} is not installed")
    if library not in libraries_of(task):
        pytest.skip(f"{library} has no flows of images")
    build = importlib.import_module(f"benchmarks.with_{library}").build
    calls, parameters = build(task, TINY)
    ours = with_tfflows.build(task, TINY)[1]
    if (library, task) == ("flowjax", "nsf_ar"):  # learns the slopes at the ends of a spline too
        assert ours < parameters < 1.2 * ours
    elif task == "glow":  # priors of splits of ours; widths of networks alike
        assert 0.7 * ours < parameters < 1.1 * ours
    else:
        assert parameters == ours
    for call in calls.values():
        call()


def test_ratios_are_of_the_best_peer():
    medians = {
        ("tfflows", "maf", "log_prob"): 2.0,
        ("zuko", "maf", "log_prob"): 8.0,
        ("nflows", "maf", "log_prob"): 16.0,
        ("tfflows", "glow", "sample"): 3.0,
        ("nflows", "glow", "sample"): 4.5,
        ("tfflows", "realnvp", "sample"): 2.0,
        ("zuko", "realnvp", "sample"): 2.0,
        ("nflows", "realnvp", "sample"): 9.0,
        ("tfflows", "maf", "sample"): 1.0,
        ("zuko", "maf", "sample"): 10.0,
        ("nflows", "maf", "sample"): 20.0,
    }
    lines = speed.table(medians).split("\n")
    assert lines[0] == "|  | tfflows | zuko | nflows | best peer / tfflows |"
    assert "| maf log_prob | 2 | 8 | 16 | 4.00 |" in lines
    assert "Geometric mean of the ratios, vectors, all but autoregressive sampling: 2.00" in lines
    assert "Geometric mean of the ratios, autoregressive sampling: 10.00" in lines
    assert "| glow sample | 3 |  | 4.5 | 1.50 |" in lines
    assert "Geometric mean of the ratios, images: 1.50" in lines


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["--lib=pyro"], "--lib: invalid choice"),
        (["--repeats=0"], "--repeats: expected at least 1, got 0"),
        (["--dim=1"], "--dim: expected at least 2, got 1"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        speed.main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_library_that_is_not_there_is_left_out(monkeypatch, capsys):
    monkeypatch.setattr(speed, "installed", lambda name: False)
    assert speed.main(["--lib=zuko"]) == 0
    assert "zuko is not installed: skipped" in capsys.readouterr().err


def test_the_report_on_tables_sets_apart_those_that_defaults_were_chosen_on():
    def line(table, model, test):
        return {"table": table, "model": model, "test": test, "error": 0.1, "seconds": 60.0}

    lines = [
        *(line("pol", "nsf_table", test) for test in (1.0, 1.5, 2.0)),
        *(line("pol", f"nflows-{name}", t) for name, t in (("nsf_ar", 1.1), ("nsf_c", 1.0))),
        line("pol", "nflows-maf", -3.0),
        line("bike", "nsf_table", 9.0) | {"seconds": None},
        {"table": "bike", "model": "nflows-maf", "died": "loss nan at step 3"},
        line("airfoil", "maf_table", 2.0),
    ]
    first, second = tables.report(lines).split("Other tables:")
    assert "| airfoil |  | 2.00 ± 0.10, 60 s |  |  |  |  |" in first and "pol" not in first
    assert "No table has runs of every model yet." in first
    assert "| pol | 1.50 ± 0.10 (1.00 to 2.00), 60 s |" in second and "1 of 1 runs died" in second
    assert "| bike | 9.00 ± 0.10 |" in second
    assert second.endswith("+0.40 nats on average over 1 table, +0.40 at worst.")
