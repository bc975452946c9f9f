"""The zoo: named models, with or without trained weights.

    >>> import zoo
    >>> flow = zoo.load("nsf_moons")
    >>> flow.log_prob(flow.sample(3, seed=0)).shape
    TensorShape([3])

`zoo.names()` lists the configs and `zoo.pretrained()` the models that come trained. `zoo.build`
makes an untrained model, `zoo.load` loads a model with its weights (or those of a work directory),
and `zoo.card` describes how a model was made. `python -m zoo` lists the models and the commands;
each command has `--help`.
"""

from zoo.registry import build, card, config, load, names, pretrained

__all__ = ["build", "card", "config", "load", "names", "pretrained"]
