"""Graphs: molecules, from files of SMILES."""

from __future__ import annotations

from zoo.modalities import base

_INITIAL_ROWS = 2**14
_DRAWS = 1000  # of a test
_PICTURED = 25
_KINDS = (".smi", ".png", ".npy")


class Graphs(base.Modality):
    """Molecules as graphs of heavy atoms and bonds; see `tfflows.data.molecules`."""

    sources = ("smiles",)
    file_sources = ("smiles",)

    # Data.

    def event_shape(self, config):
        """As `Modality.event_shape`: the file determines it."""
        return None

    def shape_to_build(self, name, known, arguments):
        """As `Modality.shape_to_build`; the argument is `dim`, the largest number of nodes."""
        dim = arguments.pop("dim", None)
        if dim is None and known is None:
            raise ValueError(f"dim: {name} is for your own molecules; give the number of atoms")
        if dim is None:
            return known
        from tfflows.data import graphs

        return (graphs.length(dim),)

    def load(self, config, trained):
        """As `Modality.load`; a trained model's types of atoms and bonds are those on its card."""
        from zoo.modalities.graphs import load

        return load.molecules(config, trained)

    # Training.

    def settle(self, config, data):
        """Sets the numbers of types to those of the file."""
        config = config.copy_and_resolve_references()
        vocabulary = data.facts["vocabulary"]
        config.model.args.node_types = len(vocabulary["atoms"])
        config.model.args.edge_types = len(vocabulary["bonds"])
        return config

    def initialize(self, model, data):
        """Starts from more rows than `fit` would use."""
        model.initialize(data.train[:_INITIAL_ROWS])

    # Pictures.

    def pictures(self, model, data, folder):
        """Draws samples as structures."""
        from zoo.modalities.graphs import draws

        drawn = draws.draw(model, _PICTURED, 1, 0, data.facts)
        drawn.write(folder / "samples.png")
        return [str(folder / "samples.png")]

    # Test figures.

    def test_figures(self, model, data, x, log_q, shared):
        """The draws of noise of the bound, and figures of molecules drawn from the model."""
        from zoo.modalities.graphs import draws

        return {"samples": model.samples} | draws.figures(model, _DRAWS, data)

    def describe(self, result):
        """As `Modality.describe`."""
        title = f"mean test log-likelihood ({base.bound(result['samples'])})"
        lines = [base.described(title, result, "log_likelihood")]
        for name, how in {
            "drawn": "as drawn",
            "largest_piece": "with the largest piece of each",
            "corrected": "with corrected valences",
        }.items():
            line = f"{result['draws']} draws {how}: {100 * result['valid'][name]:.1f} % valid"
            for figure in ("unique", "novel"):
                if (share := result[figure][name]) is not None:
                    line += f", {100 * share:.1f} % of these {figure}"
            lines.append(line)
        distance = result["size_distance"]
        return [*lines, f"numbers of atoms: total-variation distance {distance:.3f} from the data"]

    # Samples.

    def check_output(self, model, path):
        """As `Modality.check_output`."""
        from zoo import outputs

        outputs.check_kind(path, _KINDS)

    def sample(self, model, values, facts, load):
        """Draws molecules, 100 by default."""
        from zoo.modalities.graphs import draws

        n = 100 if values.n is None else values.n
        return draws.draw(model, n, values.seed, values.start, facts, values.temperature)


MODALITY = Graphs()
