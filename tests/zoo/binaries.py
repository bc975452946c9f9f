"""Runs the binaries: in this process, which is quick, or in one of their own."""

import contextlib
import io
import os
import pathlib
import runpy
import subprocess
import sys
from unittest import mock

from absl import app, flags

ROOT = pathlib.Path(__file__).resolve().parents[2]

# A model that trains in a second, with dropout so that noise matters.
SMALL = (
    "--config=realnvp_moons",
    "--config.model.args.layers=2",
    "--config.model.args.hidden_units=(8,)",
    "--config.model.args.dropout=0.2",
    "--config.data.size=5000",
    "--config.train.batch_size=64",
    "--config.train.jit_compile=False",
)
# And one of images.
TINY_GLOW = (
    "--config=glow_images",
    "--config.model.args.levels=1",
    "--config.model.args.steps=1",
    "--config.model.args.width=4",
    "--config.train.steps=4",
    "--config.train.eval_every=2",
    "--config.train.batch_size=8",
    "--config.train.warmup=0",
)


def run(module: str, *arguments) -> tuple[int, str, str]:
    """Runs `python -m module` within this process: exit code, stdout, stderr."""
    app.define_help_flags()  # which absl does once in a process
    before = set(flags.FLAGS)
    out, err = io.StringIO(), io.StringIO()
    argv = [module, *map(str, arguments)]
    try:
        with (
            mock.patch.object(sys, "argv", argv),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            runpy.run_module(module, run_name="__main__", alter_sys=False)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
    return code, out.getvalue(), err.getvalue()


def error_of(*arguments, module: str = "zoo.train") -> str:
    """The one line with which a binary, given these arguments, refuses them."""
    code, _, errors = run(module, *arguments)
    assert code == 2
    lines = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "Traceback" not in errors
    assert errors.splitlines()[-1] == lines[0]
    return lines[0]


def start(*arguments) -> subprocess.Popen:
    """Starts `python ARGUMENTS` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
