"""GraphCNF for a file of molecules."""

from zoo.configs import default
from zoo.configs.graphcnf import PAPER


def get_config():
    return default.get_config(
        name="graphcnf_smiles",
        summary="GraphCNF for a file of molecules as SMILES.",
        family="GraphCNF",
        # The numbers of types are those of the file.
        model={"node_types": default.open_entry(int), "edge_types": default.open_entry(int)},
        data={"source": "smiles"},
        train={
            "steps": 20_000,
            "batch_size": 128,
            "learning_rate": 0.001,
            "warmup": 200,
            "ema": 0.999,
            "eval_every": 1000,
        },
        paper=PAPER,
    )
