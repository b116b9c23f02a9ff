"""Data sets: named ones that a package installs, and any image folder, zip, IDX or CIFAR-10."""

from sephw.data.dataset import Dataset, Split
from sephw.data.folders import FolderDataset, ImageFiles, is_image_folder, open_image_folder
from sephw.data.load import DATA_NAMES, load_data
from sephw.data.preprocess import Preprocessing, preprocess

__all__ = [
    "DATA_NAMES",
    "Dataset",
    "FolderDataset",
    "ImageFiles",
    "Preprocessing",
    "Split",
    "is_image_folder",
    "load_data",
    "open_image_folder",
    "preprocess",
]
