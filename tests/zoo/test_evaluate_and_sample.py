import json

import numpy as np
import pytest

import zoo
from tests.zoo import binaries
from tfflows import batches
from tfflows.data import table
from zoo import registry
from zoo.evaluate import evaluate
from zoo.modalities.vectors.rows import write

QUICK = ("--config.train.steps=100", "--config.train.jit_compile=False")
QUICK += ("--config.data.size=20000", "--config.train.eval_every=100")


def trained(folder, name, *arguments):
    code, _, errors = binaries.run(
        "zoo.train", f"--config={name}", f"--workdir={folder}", *QUICK, *arguments
    )
    assert code == 0, errors
    return folder


@pytest.fixture(scope="module")
def affine(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("affine"), "affine_moons")


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("mixture"), "cdf_gaussian_uniform")


def test_figures_of_a_toy(affine, tmp_path):
    output = tmp_path / "figures.json"
    code, text, errors = binaries.run("zoo.evaluate", f"--model={affine}", f"--output={output}")
    assert code == 0, errors
    result = json.loads(output.read_text())
    assert result["rows"] == 100_000
    # E[log p - log q] = -entropy - E[log q], up to the error of the mean of log p.
    gap = result["kl_divergence"] + result["entropy"] + result["log_likelihood"]
    assert abs(gap) < 0.02
    assert f"{result['kl_divergence']:.4f} +- " in text and "mean test log-likelihood" in text
    # The best Gaussian's own entropy bounds any other's log-likelihood.
    assert result["kl_divergence"] > 0.1


def test_figures_of_a_one_dimensional_flow(mixture):
    assert (mixture / "pictures" / "density.png").exists()
    result = evaluate(mixture)
    assert result["kl_divergence"] > -result["kl_divergence_two_standard_errors"]


@pytest.mark.slow
def test_figures_of_a_target(tmp_path):
    arguments = ("--config.model.args.layers=1", "--config.model.args.hidden_units=(8,)")
    folder = trained(tmp_path / "iaf", "iaf_target", *arguments)
    result = evaluate(folder)
    assert set(result) == {"rows", "kl_divergence", "kl_divergence_two_standard_errors"}
    assert result["kl_divergence"] > 0
    # By another way: the same mean over draws of the public sampler.
    flow, data = zoo.load(folder), registry.card(folder)["data"]
    from tfflows.data import targets

    x, log_q = flow.sample_and_log_prob(50_000, seed=99)
    log_p = targets.get(data["name"])(x) - data["log_normalizer_nats"]
    assert result["kl_divergence"] == pytest.approx(float(np.mean(log_q - log_p)), abs=0.05)


def test_draws_do_not_depend_on_batches(affine):
    flow = zoo.load(affine)
    rows = batches.sample(flow, 9000, seed=3)
    np.testing.assert_allclose(rows[8990:], flow.sample(10, seed=3, start=8990), atol=1e-5)


@pytest.mark.parametrize("name", ["draws.npy", "draws.csv", "draws.png"])
def test_files_of_draws(affine, tmp_path, name):
    path = tmp_path / name
    arguments = ("--n=20", "--seed=5", "--start=2", "--temperature=0.5", f"--output={path}")
    code, text, errors = binaries.run("zoo.sample", f"--model={affine}", *arguments)
    assert code == 0 and str(path) in text, errors
    expected = zoo.load(affine).sample(20, seed=5, start=2, temperature=0.5).numpy()
    if name.endswith(".npy"):
        np.testing.assert_allclose(np.load(path), expected, atol=1e-6)
    elif name.endswith(".csv"):
        assert path.read_text().splitlines()[0] == "x1,x2"
        np.testing.assert_allclose(np.loadtxt(path, delimiter=",", skiprows=1), expected, atol=1e-6)
    else:
        assert path.read_bytes().startswith(b"\x89PNG")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_column_names_are_quoted_where_need_be(tmp_path):
    names = ["a,b", "c", 'a"b,c', "größe", "two\nlines"]
    write(np.zeros([2, 5]), tmp_path / "a.csv", names)
    assert (tmp_path / "a.csv").read_text("utf-8").startswith('"a,b",c,"a""b,c",größe,')
    again = table.read_table(tmp_path / "a.csv")
    assert again.columns == names and again.values.shape == (2, 5)


def test_whole_numbers_are_written_as_such(tmp_path):
    rows = np.array([[1.0, 0.5, -0.0, 2.0**60], [-30.0, 1.0, 7.0, np.nan]], np.float64)
    write(rows, tmp_path / "a.csv", ["n", "half", "zero", "large"])
    assert (tmp_path / "a.csv").read_text().splitlines()[1:] == [
        "1,0.5,0,1.152921504606847e+18",
        "-30,1.0,7,nan",
    ]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--n=0"], "n: expected at least 1, got 0"),
        (["--output=draws.txt"], "output: expected a file ending in .csv, .npy, .png"),
        (["--output=nowhere/draws.csv"], "output: the folder 'nowhere' does not exist"),
        (["--output=."], "output: expected a file ending in .csv, .npy, .png"),
        (["--temperature=-1"], "temperature: expected "),
        (["--temperature=nan"], "temperature: expected "),
        (["--seed=100000000000000000000"], "seed: expected "),
        (["--start=-1"], "start: expected "),
        (["--model=other.keras"], "no model or folder 'other.keras'"),
        (["--model=nsf_mons"], "no model or folder 'nsf_mons'; did you mean nsf_moons"),
    ],
)
def test_bad_flags_of_sample(affine, tmp_path, arguments, message):
    flags = [f"--model={affine}", f"--output={tmp_path / 'draws.csv'}", *arguments]
    code, _, errors = binaries.run("zoo.sample", *flags)
    assert code == 2 and errors.splitlines()[-1].startswith("error: ")
    assert message in errors.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_temperature_of_a_uniform_base(mixture, tmp_path):
    arguments = (f"--model={mixture}", "--temperature=0.5", f"--output={tmp_path / 'a.npy'}")
    code, _, errors = binaries.run("zoo.sample", *arguments)
    assert code == 2 and "has no normal or logistic base" in errors.splitlines()[-1]


def test_picture_of_one_dimension(mixture, tmp_path):
    path = tmp_path / "a.png"
    code, _, errors = binaries.run("zoo.sample", f"--model={mixture}", f"--output={path}")
    assert code == 0 and path.read_bytes().startswith(b"\x89PNG"), errors


def test_no_picture_of_three_dimensions(tmp_path):
    with pytest.raises(ValueError, match="a picture shows one or two dimensions"):
        write(np.zeros([4, 3]), tmp_path / "a.png")


def test_bad_flags_of_evaluate(affine, tmp_path):
    code, _, errors = binaries.run("zoo.evaluate", f"--model={tmp_path}")
    assert code == 2 and "expected a name or a work directory" in errors.splitlines()[-1]


@pytest.mark.parametrize(
    "output, message",
    [("nowhere/a.json", "output: the folder"), ("", "output: expected a file, but")],
)
def test_evaluate_checks_its_output_first(affine, tmp_path, monkeypatch, output, message):
    monkeypatch.setattr(registry, "load", lambda model: pytest.fail("began its work"))
    path = tmp_path / output
    code, _, errors = binaries.run("zoo.evaluate", f"--model={affine}", f"--output={path}")
    assert code == 2 and message in errors.splitlines()[-1]
