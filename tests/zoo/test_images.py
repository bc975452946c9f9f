"""Models of images through the zoo's binaries: training, test, export, the studies."""

import json
import math

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import TINY_GLOW, error_of
from tfflows.data.images import Images
from tfflows.models import Glow
from tools import documents
from zoo import modalities, registry
from zoo.evaluate import describe, evaluate
from zoo.modalities.images import load, pictures
from zoo.studies import images as studies
from zoo.studies import outliers
from zoo.train import stored_values


def bars(n, size=8, seed=0):
    """Images of a bright bar on a dark ground, and which way it lies."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 20, (n, size, size, 1))
    labels = np.arange(n) % 2
    for image, label in zip(x, labels, strict=True):
        place = rng.integers(1, size - 1)
        image[(slice(None), place) if label else place] += 200
    return x.astype("uint8"), labels


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "bars.npz"
    x, labels = bars(60)
    np.savez(path, x=x, y=labels)
    return path


@pytest.fixture(scope="module")
def trained(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "bars"
    data = f"--config.data.path={archive}"
    code, _, errors = binaries.run("zoo.train", *TINY_GLOW, data, f"--workdir={folder}")
    assert code == 0, errors
    return folder


def test_a_users_array_is_trained_on_and_tested(trained, archive):
    card = zoo.card(trained)
    assert card["event_shape"] == [8, 8, 1] and card["dim"] == 64
    assert card["data"]["rows"] == {"train": 49, "validation": 5, "test": 6}
    flow = zoo.load(trained)
    assert flow.sample(2, seed=1).shape == (2, 8, 8, 1)
    result = evaluate(trained, data_path=str(archive))
    x, _ = bars(60)
    rows = np.random.default_rng(0).permutation(60)[-6:]
    expected = np.mean(flow.bits_per_dim(x[rows]))
    assert result["bits_per_dim"] == pytest.approx(expected, rel=1e-5)
    nats = -result["log_likelihood"] / (64 * math.log(2))
    assert nats == pytest.approx(result["bits_per_dim"])
    more = evaluate(trained, data_path=str(archive), samples=4, rows=3)
    assert more["samples"] == 4 and more["rows"] == 3


def test_all_images_of_another_file_but_not_its_own(trained, archive, tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(archive.read_bytes())
    with np.load(archive) as arrays:
        assert evaluate(trained, str(other), part="all")["rows"] == len(arrays["x"])
    for path in (None, str(archive), f"{archive.parent}/./{archive.name}"):
        with pytest.raises(ValueError, match="part: all expects new data"):
            evaluate(trained, path, part="all")


def test_evaluate_prints_the_bound(trained, archive, tmp_path):
    code, output, errors = binaries.run(
        "zoo.evaluate",
        f"--model={trained}",
        f"--data_path={archive}",
        "--samples=2",
        f"--output={tmp_path / 'figures.json'}",
    )
    assert code == 0, errors
    assert "bits/dim (bound from 2 draws of noise)" in output
    assert json.loads((tmp_path / "figures.json").read_text())["samples"] == 2


def test_a_bound_that_is_not_finite_is_described():
    nothing = {"bits_per_dim": None, "bits_per_dim_two_standard_errors": None, "samples": 1}
    nothing |= {"log_likelihood": None, "log_likelihood_two_standard_errors": None}
    text = describe({"rows": 1} | nothing, "images")
    assert text.startswith("mean test log-likelihood: not finite (some rows are outside")
    assert documents._figure(nothing, "bits_per_dim", 3) == "not finite"


@pytest.mark.slow
def test_a_folder_of_images_with_a_broken_one(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, image in enumerate(bars(30, size=12)[0]):
        PIL.Image.fromarray(image[..., 0]).save(folder / f"{number:03d}.png")
    (folder / "broken.png").write_text("no image")
    PIL.Image.new("L", (5, 5)).save(folder / "tiny.png")
    run = tmp_path / "run"
    sizes = ("--config.data.height=8", "--config.data.width=8", "--config.data.channels=1")
    code, text, errors = binaries.run(
        "zoo.train", *TINY_GLOW, *sizes, f"--config.data.path={folder}", f"--workdir={run}"
    )
    assert code == 0, errors
    assert text.startswith("1 file skipped: broken.png: ")
    assert "1 file enlarged: tiny.png\n" in text
    card = zoo.card(run)
    assert card["event_shape"] == [8, 8, 1]
    (skipped,) = card["data"]["skipped"]
    assert skipped.startswith("broken.png: ")


def test_classes_of_the_images_are_contexts(archive, tmp_path):
    run = tmp_path / "run"
    data = f"--config.data.path={archive}"
    code, _, errors = binaries.run(
        "zoo.train", *TINY_GLOW, data, "--config.model.args.classes=2", f"--workdir={run}"
    )
    assert code == 0, errors
    flow = zoo.load(run)
    assert flow.context_shape == (2,)
    assert math.isfinite(evaluate(run, data_path=str(archive))["bits_per_dim"])
    assert flow.sample(2, seed=0, context=np.eye(2, dtype="float32")).shape == (2, 8, 8, 1)


@pytest.mark.slow
def test_export_takes_and_gives_bytes(trained, tmp_path):
    code, output, errors = binaries.run(
        "export", f"--model={trained}", f"--output={tmp_path / 'served'}", "--samples=2"
    )
    assert code == 0, errors
    assert "log_prob: x uint8 [batch, 8, 8, 1] -> log_prob float32 [batch]" in output
    assert "sample: seed int64 [batch, 2], temperature float32 [batch] -> samples uint8" in output
    flow, x = zoo.load(trained), bars(5, seed=1)[0]
    flow.samples = 2
    served = tf.saved_model.load(str(tmp_path / "served" / "1")).signatures["log_prob"]
    np.testing.assert_allclose(served(x=tf.constant(x))["log_prob"], flow.log_prob(x), rtol=1e-4)
    np.save(tmp_path / "x.npy", x)
    script = binaries.ROOT / "export" / "score.py"
    process = binaries.start(script, tmp_path / "served" / "1", tmp_path / "x.npy", tmp_path / "s")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    np.testing.assert_allclose(np.load(tmp_path / "s.npy"), flow.log_prob(x), rtol=1e-4)


def test_errors_in_one_line(trained, archive, tmp_path):
    out = f"--workdir={tmp_path / 'run'}"
    data = f"--config.data.path={archive}"
    assert "data.path: glow_images needs a value" in error_of(*TINY_GLOW, out)
    assert "does not exist" in error_of(*TINY_GLOW, "--config.data.path=/no/such", out)
    assert "both or neither" in error_of(*TINY_GLOW, data, "--config.data.height=8", out)
    error = error_of(*TINY_GLOW, data, "--config.data.source=toy", out)
    assert "expected one of tfds, images, as Glow is a model of images, got 'toy'" in error
    error = error_of("--config=nsf_table", data, "--config.data.source=images", out)
    assert (
        "expected one of toy, target, table, tfds, as NSF is a model of vectors, got 'images'"
        in error
    )
    error = error_of(
        f"--model={trained}", "--samples=0", f"--data_path={archive}", module="zoo.evaluate"
    )
    assert "samples: expected" in error
    error = error_of("--model=nsf_moons", "--samples=2", module="zoo.evaluate")
    assert "samples: log_prob of nsf_moons is exact" in error
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="shape: glow_images is for your own images"):
        zoo.build("glow_images")


def test_a_file_is_not_passed_over_for_a_set():
    error = error_of(
        "--model=glow_mnist", "--data_path=mine.npz", "--data_dir=sets", module="zoo.evaluate"
    )
    assert "data.path: data of source 'tfds' are not read from a file, got 'mine.npz'" in error


def test_other_images_need_a_folder_of_sets(trained, tmp_path):
    arguments = (f"--model={trained}", f"--output={tmp_path / 'out'}")
    assert "data_dir: mnist needs --data_dir" in error_of(*arguments, module="zoo.studies.outliers")
    assert not (tmp_path / "out").exists()


def test_a_study_refuses_runs_of_other_settings(tmp_path):
    values = studies.config("partition", "top, bottom, left, right", 0, 10, {"name": "mnist"})
    folder = tmp_path / values.name.replace("_1_", "_0_")
    folder.mkdir()
    (folder / registry.CONFIG).write_text(json.dumps(stored_values(values)))
    arguments = ("--study=partition", f"--output={tmp_path}", "--data_dir=/no/such")
    error = error_of(*arguments, "--steps=20", module="zoo.studies.images")
    assert "was made with another config" in error
    for flag in ("samples", "steps", "rows", "seeds"):
        error = error_of(*arguments, f"--{flag}=0", module="zoo.studies.images")
        assert f"{flag}: expected at least 1, got 0" in error
    output = f"--output={tmp_path / 'new'}"
    error = error_of("--study=partition", output, "--data_dir=/no", module="zoo.studies.images")
    assert "data_dir" in error and not (tmp_path / "new").exists()


def test_a_picture_of_more_classes_than_samples(tmp_path):
    flow = Glow((4, 4, 1), levels=1, steps=1, width=4, classes=65)
    flow.initialize(bars(65, 4)[0], np.eye(65, dtype="float32"))
    with PIL.Image.open(pictures.samples(flow, tmp_path / "samples.png", "glow")) as picture:
        assert picture.height > 100  # rows, and not one


def test_a_set_too_small_to_hold_back_from(monkeypatch):
    few = Images(bars(9)[0])
    monkeypatch.setattr(load.images, "tfds_images", lambda *_, **__: few)
    config = registry.config("glow_mnist")
    config.data.data_dir = "anywhere"
    with pytest.raises(ValueError, match="data: expected at least 10 training images, got 9"):
        modalities.load(config)


def test_configs_of_the_papers_sizes_are_built_by_name():
    names = [name for name in zoo.names() if registry.is_of_paper_size(name)]
    assert len(names) >= 12
    for name in names:
        config = registry.config(name)
        assert config.name == name and modalities.of_config(config).event_shape(config) is not None
    with pytest.raises(ValueError, match="data.data_dir: glow_cifar10 needs a value"):
        modalities.load(registry.config("glow_cifar10"))


def test_table_of_a_study():
    def record(bits):
        curve = [(10, 900.0), (20, 64 * bits * math.log(2))]
        return {"bits_per_dim": bits, "parameters": 5, "seconds": 60, "curve": curve, "dim": 64}

    records = {
        "one": [record(b) for b in (1.0, 1.1, 1.2)],
        "two": [record(b) for b in (1.2, 1.31, 1.4)],
        "three": [record(b) for b in (1.3, 1.2, 1.5)],
    }
    lines = studies.table(records).splitlines()
    assert lines[2].startswith("| one | 5 | 1.1000 ± 0.1155 | 1.0000, 1.1000, 1.2000 | 1.0 |")
    assert lines[-3] == "- one ahead of two by 0.2033 ± 0.0067 bits/dim: resolved"
    assert "not resolved; at this gap and spread it would take" in lines[-2]


@pytest.mark.parametrize("study", sorted(studies.STUDIES))
def test_variants_of_a_study_are_models(study):
    for variant in studies.STUDIES[study].variants:
        config = studies.config(study, variant, 1, 10, {"name": "mnist", "channels": 1})
        assert config.train.seed == 1
        args = config.model.args.to_dict()
        assert args["width"] == studies.STUDIES[study].variants[variant].get("width", 16)


def test_area_under_the_roc_curve():
    rng = np.random.default_rng(0)
    own, other = rng.integers(0, 10, 200), rng.integers(3, 13, 150)
    pairs = (other[:, None] > own).mean() + 0.5 * (other[:, None] == own).mean()
    assert outliers.auroc(own, other) == pytest.approx(pairs)
    assert outliers.auroc(own, own) == pytest.approx(0.5)
    areas = [
        outliers.auroc(*np.split(rng.normal(size=200) + np.repeat([0, 0.5], 100), 2))
        for _ in range(400)
    ]
    error = outliers.standard_error(float(np.mean(areas)), 100, 100)
    assert error == pytest.approx(np.std(areas), rel=0.15)


def test_bits_of_png_files():
    flat, noise = np.full((1, 16, 16, 3), 9, np.uint8), np.random.default_rng(0)
    rough = noise.integers(0, 256, (1, 16, 16, 3)).astype("uint8")
    assert outliers.png_bits(flat)[0] < 2 < 8 < outliers.png_bits(rough)[0]
    assert outliers.png_bits(rough[..., :1])[0] > 8


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([3.0], [3.1], "one seed gives no estimate of the error"),
        ([3.0, 3.2], [3.0, 3.2], "not resolved; no number of seeds resolves a gap of 0"),
        ([3.0, 3.1], [3.1, 3.2], "resolved"),
        ([3.0, 3.1], [2.9, 3.0], "resolved, but in the opposite order"),
        ([3, 3, 3], [3.3, 3.1, 3], "not resolved; at this gap and spread it would take 6 seeds"),
    ],
)
def test_two_variants_compared_seed_by_seed(first, second, message):
    records = {
        name: [{"bits_per_dim": bits} for bits in runs]
        for name, runs in (("a", first), ("b", second))
    }
    assert studies._compared("a", "b", records).endswith(f"bits/dim: {message}")
