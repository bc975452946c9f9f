"""Data: toy densities, targets of reverse KL, users' tables, TFDS sets, and input pipelines."""

from tfflows.data import pipeline, sources, table, targets, toy
from tfflows.data.pipeline import evaluation_dataset, toy_dataset, training_dataset
from tfflows.data.sources import tfds_table
from tfflows.data.table import Table, TableSplits, prepare, read_table

__all__ = [
    "Table",
    "TableSplits",
    "evaluation_dataset",
    "pipeline",
    "prepare",
    "read_table",
    "sources",
    "table",
    "targets",
    "tfds_table",
    "toy",
    "toy_dataset",
    "training_dataset",
]
