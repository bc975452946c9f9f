"""Flow of the colours of graphs."""

from zoo.configs import default
from zoo.configs.graphcnf import PAPER


def get_config():
    return default.get_config(
        name="graphcnf_colouring",
        summary="Flow of colours that differ between neighbours, given the graph.",
        family="NodeCNF",
        data={"name": "graph_colouring", "size": 30_000},
        train={
            "steps": 5000,
            "batch_size": 128,
            "learning_rate": 0.002,
            "warmup": 200,
            "eval_every": 500,
        },
        paper=PAPER,
    )
