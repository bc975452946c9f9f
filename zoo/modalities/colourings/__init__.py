"""Colours of the nodes of graphs, given the graphs."""

from __future__ import annotations

from zoo.modalities import base

_INITIAL_ROWS = 2**14
_PICTURED = 16
_KINDS = (".png", ".npy")


class Colourings(base.Modality):
    """Random graphs with three colours; see `tfflows.data.colourings`."""

    sources = ("toy",)

    # Data.

    def event_shape(self, config):
        """As `Modality.event_shape`."""
        from zoo.modalities.colourings import load

        return (load.NODES,)

    def shape_to_build(self, name, known, arguments):
        """As `Modality.shape_to_build`; the argument is `dim`, the largest number of nodes."""
        return (arguments.pop("dim", known[0]),)

    def load(self, config, trained):
        """As `Modality.load`; a trained model gets test rows only, as graphs take long to draw."""
        from zoo.modalities.colourings import load

        return load.colourings(config, test_only=bool(trained))

    # Training.

    def initialize(self, model, data):
        """Starts from more rows than `fit` would use."""
        model.initialize(data.train[:_INITIAL_ROWS], data.train_context[:_INITIAL_ROWS])

    # Pictures.

    def pictures(self, model, data, folder):
        """Draws graphs with the model's colours."""
        from zoo.modalities.colourings import draws

        path = folder / "samples.png"
        draws.draw(model, _PICTURED, 1, 0).write(path)
        return [str(path)]

    def gallery(self, model, config, folder):
        """As `pictures`."""
        return self.pictures(model, None, folder)

    # Test figures.

    def test_figures(self, model, data, x, log_q, shared):
        """Bits per node beside the least possible, and how many drawn colourings are proper."""
        from zoo.modalities.colourings import draws

        return {"samples": model.samples} | draws.figures(model, x, data.test_context(), log_q)

    def describe(self, result):
        """As `Modality.describe`."""
        title = f"mean test loss ({base.bound(result['samples'])})"
        return [
            base.described(title, result, "bits_per_node", "bits per node"),
            f"least possible: {result['entropy_bits_per_node']:.4f} bits per node",
            *super().describe(result),
            f"{100 * result['possible']:.1f} % of {result['draws']} drawn colourings are proper",
        ]

    def contexts(self, model, n):
        """As `Modality.contexts`: new graphs."""
        from zoo.modalities.colourings import draws

        return draws.new_graphs(model, n, 0, 0)

    # Samples.

    def check_output(self, model, path):
        """As `Modality.check_output`."""
        from zoo import outputs

        outputs.check_kind(path, _KINDS)

    def sample(self, model, values, facts, load):
        """Draws new graphs, and colours them; 16 by default."""
        from zoo.modalities.colourings import draws

        n = _PICTURED if values.n is None else values.n
        return draws.draw(model, n, values.seed, values.start, values.temperature)


MODALITY = Colourings()
