"""Toy densities and targets, tables, images, graphs and molecules, TFDS sets, and pipelines."""

from tfflows.data import images, pipeline, sources, table, targets, toy
from tfflows.data.images import Images, class_context, read_images, split_rows, tfds_images
from tfflows.data.pipeline import evaluation_dataset, toy_dataset, training_dataset
from tfflows.data.sources import tfds_table
from tfflows.data.table import Table, TableSplits, prepare, read_table

__all__ = [
    "Images",
    "Table",
    "TableSplits",
    "class_context",
    "evaluation_dataset",
    "images",
    "pipeline",
    "prepare",
    "read_images",
    "read_table",
    "sources",
    "split_rows",
    "table",
    "targets",
    "tfds_images",
    "tfds_table",
    "toy",
    "toy_dataset",
    "training_dataset",
]
