"""People's tables, from the command to the model: what is left out, and columns by name."""

import json

import numpy as np
import pandas as pd
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows.data import table
from zoo import registry
from zoo.evaluate import evaluate
from zoo.modalities.vectors import tables

N = 400
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "height": RNG.normal(170.0, 8.0, N),
        "ratio": RNG.normal(0.5, 0.01, N),
        "fixed": 3.0,
        "weight": RNG.normal(70.0, 12.0, N),
    }
)
MODEL = ["height", "ratio", "weight"]
ARGUMENTS = ("--config=gaussian_table", "--config.data.drop_constant=True")


def train(folder, frame, *arguments, name="rows.csv", **options):
    """A work directory of a Gaussian of these rows, and what the command printed."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    frame.to_csv(path, index=False, **options)
    flags = (*ARGUMENTS, *arguments, f"--config.data.path={path}", f"--workdir={folder / 'work'}")
    code, output, errors = binaries.run("zoo.train", *flags)
    assert code == 0, errors
    return folder / "work", output


def likelihood(work, path):
    """What the command says of another table, and what it prints."""
    output = path.parent / "figures.json"
    flags = (f"--model={work}", f"--data_path={path}", f"--output={output}")
    code, text, errors = binaries.run("zoo.evaluate", *flags)
    assert code == 0, errors
    return json.loads(output.read_text())["log_likelihood"], text


def right(rows):
    """The log-likelihood of the test rows under the Gaussian of the training rows."""
    train, _, test = table.split(N)
    fitted = FRAME[MODEL].to_numpy()[train]
    centred = rows[test] - fitted.mean(0)
    covariance = np.cov(fitted, rowvar=False, bias=True)
    distance = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred)
    return np.mean(-0.5 * (distance + np.linalg.slogdet(2 * np.pi * covariance)[1]))


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    frame = FRAME.assign(id=np.arange(N), word=[f"w{i}" for i in range(N)])
    return train(tmp_path_factory.mktemp("runs") / "table", frame)


def test_what_is_left_out_is_printed_and_on_the_card(work):
    work, output = work
    assert "rows.csv: left out: 'id' (the whole numbers from 0 to 399, each once)" in output
    assert "left out: 'word' (text that differs in every row)" in output
    assert "left out: 'fixed' (constant over the training rows)" in output
    data = registry.card(work)["data"]
    assert data["columns"] == MODEL
    assert data["all_columns"] == ["height", "ratio", "fixed", "weight", "id", "word"]
    assert data["dropped"] == {
        "id": "the whole numbers from 0 to 399, each once",
        "word": "text that differs in every row",
        "fixed": "constant over the training rows",
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[["weight", "ratio", "height", "fixed"]],
        lambda frame: frame[["weight", "ratio", "height"]],
        lambda frame: frame.assign(new="text", fixed=np.arange(N)).iloc[:, ::-1],
        lambda frame: frame.assign(fixed=RNG.normal(size=N)),
    ],
    ids=["another order", "columns of the model", "others beside them", "one that varies now"],
)
def test_columns_go_by_name(work, tmp_path, change):
    change(FRAME).to_csv(tmp_path / "other.csv", index=False)
    found, text = likelihood(work[0], tmp_path / "other.csv")
    assert found == pytest.approx(right(FRAME[MODEL].to_numpy()), abs=1e-3)
    assert "not the table that the model was trained on" in text


def test_a_column_that_is_constant_elsewhere_is_taken(work, tmp_path):
    other = FRAME.assign(weight=75.0, fixed=RNG.normal(size=N))
    other.to_csv(tmp_path / "other.csv", index=False)
    expected = right(other[MODEL].to_numpy())
    assert likelihood(work[0], tmp_path / "other.csv")[0] == pytest.approx(expected, abs=1e-3)


def test_all_rows_of_another_table(work, tmp_path):
    FRAME.iloc[::-1].to_csv(tmp_path / "other.csv", index=False)
    found = evaluate(work[0], str(tmp_path / "other.csv"), part="all")
    assert found["rows"] == N and "note" in found
    likelihoods = zoo.load(work[0]).log_prob(FRAME)
    assert found["log_likelihood"] == pytest.approx(np.mean(likelihoods), abs=1e-4)
    assert evaluate(work[0], str(tmp_path / "other.csv"))["rows"] == N // 10
    own = work[0].parent / "rows.csv"
    for path in (None, str(own)):  # training rows are no test
        with pytest.raises(ValueError, match="part: all expects new data"):
            evaluate(work[0], path, part="all")


def test_a_missing_column_is_an_error(work, tmp_path):
    FRAME.drop(columns=["ratio", "weight"]).to_csv(tmp_path / "other.csv", index=False)
    error = error_of(
        *(f"--model={work[0]}", f"--data_path={tmp_path / 'other.csv'}"), module="zoo.evaluate"
    )
    assert "by name, missing 'ratio', 'weight', got 'height', 'fixed'" in error


def test_rows_without_names_go_by_position(work, tmp_path):
    expected = right(FRAME[MODEL].to_numpy())
    whole = FRAME.assign(id=np.arange(N), word=0.0)
    for name, frame in {"whole": whole, "model": FRAME[MODEL]}.items():
        np.save(tmp_path / f"{name}.npy", frame.to_numpy())
        frame.to_csv(tmp_path / f"{name}.csv", index=False, header=False)
        for kind in ("npy", "csv"):
            found, text = likelihood(work[0], tmp_path / f"{name}.{kind}")
            assert found == pytest.approx(expected, abs=1e-3)
            assert "matched by position, because the file has no names" in text
    np.save(tmp_path / "other.npy", FRAME.to_numpy())
    with pytest.raises(ValueError, match=r"expected 3 or 6 \(matched by position.*, got 4"):
        evaluate(work[0], str(tmp_path / "other.npy"))


def test_frames_go_by_name_in_python(work, tmp_path):
    model = zoo.load(work[0])
    assert model.columns == MODEL
    expected = model.log_prob(FRAME[MODEL].to_numpy())
    np.testing.assert_array_equal(model.log_prob(FRAME.iloc[:, ::-1]), expected)
    with pytest.raises(ValueError, match="x: columns: expected .* missing 'ratio'"):
        model.log_prob(FRAME.drop(columns="ratio"))
    code, _, errors = binaries.run(
        "zoo.sample", f"--model={work[0]}", "--n=5", f"--output={tmp_path / 'rows.csv'}"
    )
    assert code == 0, errors
    assert pd.read_csv(tmp_path / "rows.csv").columns.tolist() == MODEL


def test_identifiers_can_be_kept(tmp_path):
    frame = FRAME.assign(id=np.random.default_rng(1).permutation(N))
    work, output = train(tmp_path / "kept", frame, "--config.data.keep_identifiers=True")
    assert registry.card(work)["data"]["columns"] == [*MODEL, "id"]
    assert "'id'" not in output and zoo.load(work).columns == [*MODEL, "id"]
    # And in a file where they repeat, by name still.
    frame.assign(id=7).to_csv(tmp_path / "other.csv", index=False)
    assert np.isfinite(likelihood(work, tmp_path / "other.csv")[0])


def test_the_first_line_as_told(tmp_path):
    frame = pd.DataFrame(FRAME[MODEL].to_numpy())
    work, output = train(tmp_path / "auto", frame)
    assert registry.card(work)["data"]["columns"] == ["0", "1", "2"]
    assert sum(registry.card(work)["data"]["rows"].values()) == N
    assert "the first line (0, 1, 2) is read as column names" in output
    # By the names 0, 1, 2 too, in a file and in Python.
    frame[[2, 0, 1]].to_csv(tmp_path / "other.csv", index=False)
    expected = pytest.approx(right(FRAME[MODEL].to_numpy()), abs=1e-3)
    assert likelihood(work, tmp_path / "other.csv")[0] == expected
    model = zoo.load(work)
    np.testing.assert_array_equal(model.log_prob(frame[[2, 0, 1]]), model.log_prob(frame))
    work, output = train(tmp_path / "no", frame, "--config.data.header=no")
    assert sum(registry.card(work)["data"]["rows"].values()) == N + 1
    path = f"--config.data.path={tmp_path / 'no' / 'rows.csv'}"
    error = error_of(*ARGUMENTS, path, f"--workdir={tmp_path / 'w'}", "--config.data.header=maybe")
    assert "data.header: expected auto, yes, no, got 'maybe'" in error


def test_files_of_other_kinds(tmp_path):
    for name, options in {"a.tsv": {"sep": "\t"}, "b.csv.gz": {"sep": ";", "decimal": ","}}.items():
        work, _ = train(tmp_path / name[0], FRAME, name=name, **options)
        found = evaluate(work)["log_likelihood"]
        assert found == pytest.approx(right(FRAME[MODEL].to_numpy()), abs=1e-3)
    values = zoo.registry.config("gaussian_table")
    for name, stem in {"a.tsv": "a", "b.csv.gz": "b", "v1.2.npz": "v1.2"}.items():
        values.data.path = name
        assert registry.pretrained_name(values) == f"gaussian_{stem}"


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("rows.csv", "a,b\n" + "1,2\n" * 20 + "3,?\n", "in column 'b'); line 22 of the file holds"),
        ("rows.csv", "NA,2.5\n" + "1,2\n" * 20, "'column_0'); line 1 of the file holds 'NA'"),
        ("rows.csv", "", "expected rows, got an empty file"),
        ("rows.csv", "a,b\n", "expected rows, got an empty table"),
        ("rows.csv", "a,b\n1,2\n3,4\n5\n" + "6,7\n" * 20, "line 4 of the file has an empty cell"),
        ("folder.csv", None, "which is a folder"),
    ],
)
def test_damaged_files(tmp_path, name, text, message):
    path = tmp_path / name
    path.mkdir() if text is None else path.write_text(text)
    error = error_of(*ARGUMENTS, f"--config.data.path={path}", f"--workdir={tmp_path / 'w'}")
    assert message in error and not (tmp_path / "w").exists()


def test_a_run_of_an_earlier_version_goes_on(tmp_path):
    """Its config lacks the newer entries, and it left no identifier out."""
    frame = FRAME.assign(id=np.arange(N))
    work, _ = train(tmp_path / "old", frame, "--config.data.keep_identifiers=True")
    config = json.loads((work / "config.json").read_text())
    for entry in ("header", "keep_identifiers"):
        del config["data"][entry]
    del config["schema"]
    (work / "config.json").write_text(json.dumps(config))
    card = json.loads((work / "card.json").read_text())
    card["data"]["dropped"] = list(card["data"]["dropped"])
    (work / "card.json").write_text(json.dumps(card))
    assert zoo.load(work).columns == [*MODEL, "id"] and evaluate(work)["rows"] == N // 10
    work, _ = train(tmp_path / "old", frame)  # the same command
    assert registry.card(work)["data"]["columns"] == [*MODEL, "id"]


def test_cards_of_earlier_versions(tmp_path):

    assert tables._all_columns({}) is None
    assert tables._all_columns({"columns": ["a", "b"], "dropped": []}) == ["a", "b"]
    assert tables._all_columns({"columns": ["a"], "dropped": ["b"]}) is None
    card = {"columns": ["column_0", "column_2"], "dropped": ["column_1"]}
    assert tables._all_columns(card) == ["column_0", "column_1", "column_2"]
