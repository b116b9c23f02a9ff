"""Loaders, splits and preprocessing, on small generated files."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from training_files import (
    png,
    write_cifar_binary,
    write_idx_folder,
    write_image_folder,
    write_image_zip,
)

from sephw.data import DATA_NAMES, Dataset, Split, load_data, preprocess
from sephw.data.dataset import stratified
from sephw.errors import SephwError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def values(split: Split) -> list[int]:
    """The first value of each image, which marks it in the generated data."""
    return [int(v) for v in split.images[:, 0, 0, 0]]


def everything(dataset: Dataset) -> list[int]:
    return values(dataset.train) + values(dataset.validation) + values(dataset.test)


def message(call: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(SephwError) as caught:
        call(*args, **kwargs)  # type: ignore[operator]
    return str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_idx_folder_keeps_official_test_set(tmp_path: Path, zipped: bool) -> None:
    written = write_idx_folder(tmp_path / "mine", zipped=zipped)
    dataset = load_data(tmp_path / "mine")
    assert np.array_equal(dataset.test.images[..., 0], written["t10k-images-idx3"])
    assert np.array_equal(dataset.test.labels, written["t10k-labels-idx1"])
    assert (len(dataset.train), len(dataset.validation)) == (54, 6)
    assert dataset.shape == (6, 5, 1)
    assert dataset.classes == ("0", "1", "2")
    pool = {image.tobytes() for image in written["train-images-idx3"]}
    found = [i.tobytes() for s in (dataset.train, dataset.validation) for i in s.images]
    assert set(found) == pool
    assert len(found) == len(pool)


def test_labels_stay_with_their_images(tmp_path: Path) -> None:
    write_image_zip(tmp_path / "pets.zip", per_class=20)
    dataset = load_data(tmp_path / "pets.zip")
    for split in (dataset.train, dataset.validation, dataset.test):
        assert [v >= 20 for v in values(split)] == [bool(label) for label in split.labels]


def test_single_tree_is_split_without_overlap(tmp_path: Path) -> None:
    write_image_zip(tmp_path / "pets.zip", per_class=20, prefix="pets/")
    one, same, other = (load_data(tmp_path / "pets.zip", seed=s) for s in (1, 1, 2))
    assert sorted(everything(one)) == list(range(40))
    assert everything(one) == everything(same)
    assert everything(one) != everything(other)
    assert len(one.test) == 8
    assert sorted(one.test.labels) == [0] * 4 + [1] * 4


def test_train_zip_takes_test_zip_beside_it(tmp_path: Path) -> None:
    write_image_zip(tmp_path / "pets-train.zip", per_class=10)
    write_image_zip(tmp_path / "pets-test.zip", per_class=5, start=100)
    dataset = load_data(tmp_path / "pets-train.zip")
    assert dataset.name == "pets"
    assert values(dataset.test) == list(range(100, 110))
    assert sorted(values(dataset.train) + values(dataset.validation)) == list(range(20))
    assert dataset.classes == ("cat", "dog")


def test_folder_with_train_and_test_inside(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "pets" / "train")
    write_image_folder(tmp_path / "pets" / "test", per_class=3, start=50)
    dataset = load_data(tmp_path / "pets")
    assert sorted(values(dataset.test)) == list(range(50, 56))
    assert len(dataset.train) + len(dataset.validation) == 20


def test_large_zip_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sephw.data.cache.LEAST_BYTES", 0)
    write_image_zip(tmp_path / "pets.zip")
    calls: list[int] = []
    first = load_data(tmp_path / "pets.zip", progress=lambda done, total: calls.append(done))
    decoded = len(calls)
    again = load_data(tmp_path / "pets.zip", progress=lambda done, total: calls.append(done))
    assert decoded > 0
    assert len(calls) == decoded
    assert everything(first) == everything(again)


def test_cifar_binary(tmp_path: Path) -> None:
    batches = write_cifar_binary(tmp_path / "cifar")
    dataset = load_data(tmp_path / "cifar")
    # Planes of red, green, blue, row by row, as the format's description says.
    record, image = batches[5][7], dataset.test.images[7]
    assert image[2, 3, 1] == record[1 + 1024 + 2 * 32 + 3]
    assert image[31, 0, 2] == record[1 + 2048 + 31 * 32]
    assert dataset.test.labels[7] == record[0]
    assert len(dataset.train) + len(dataset.validation) == 100
    assert dataset.classes[3] == "cat"


def test_cifar_pickle_of_plain_arrays(tmp_path: Path) -> None:
    folder = tmp_path / "cifar"
    batches = write_cifar_binary(folder)
    for name, records in zip(
        [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], batches, strict=True
    ):
        (folder / f"{name}.bin").unlink()
        content = {"data": records[:, 1:].copy(), "labels": [int(v) for v in records[:, 0]]}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    dataset = load_data(folder)
    assert dataset.test.images[4, 1, 2, 0] == batches[5][4, 1 + 32 + 2]


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (str(self.path),)


def test_cifar_pickle_cannot_run_code(tmp_path: Path) -> None:
    folder = tmp_path / "cifar"
    folder.mkdir()
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        (folder / name).write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    text = message(load_data, folder)
    assert text == (
        f"{folder / 'data_batch_1'}: refused, not a CIFAR-10 batch of plain arrays "
        "(it asks for posix.mkdir); use the binary version (data_batch_1.bin)"
    )
    assert not (tmp_path / "ran").exists()


def test_unknown_name_lists_names() -> None:
    assert DATA_NAMES == ("digits", "mnist5k", "fashion-mnist")
    assert message(load_data, "imagenet") == (
        "data set 'imagenet': no such name or path; names: digits, mnist5k, fashion-mnist; "
        "or give the path of an image folder, a zip, or a folder of IDX or CIFAR-10 files"
    )


def test_damaged_data_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "idx"
    write_idx_folder(folder, zipped=False)
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    assert message(load_data, folder) == (
        f"{path}: 1799 bytes of data where its header (60, 6, 5) says 1800; fetch the file again"
    )
    path.write_bytes(b"\x89PNG")
    assert message(load_data, folder) == (
        f"{path}: not an IDX file (it must begin with two zero bytes)"
    )
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK no")
    assert message(load_data, bad) == (
        f"{bad}: not a readable zip (File is not a zip file); fetch it again"
    )
    batches = tmp_path / "cifar"
    write_cifar_binary(batches)
    good = (batches / "data_batch_2.bin").read_bytes()
    (batches / "data_batch_2.bin").write_bytes(b"\x0b" + good[1:])
    assert message(load_data, batches) == (
        "data set 'cifar10': label 11 but only 10 classes; the label file does not belong to "
        "this data"
    )
    (batches / "data_batch_2.bin").write_bytes(b"12")
    assert message(load_data, batches) == (
        f"{batches / 'data_batch_2.bin'}: 2 bytes is no multiple of 3073; not CIFAR-10's binary "
        "version, or cut short"
    )
    (batches / "data_batch_3.bin").unlink()
    assert message(load_data, batches) == (
        f"{batches}: CIFAR-10 without data_batch_3.bin; extract the whole archive"
    )


def test_images_of_two_sizes_need_a_size(tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a", "b"):
            for i in range(5):
                archive.writestr(f"{name}/{i}.png", png(i, (8, 8 if i else 9)))
    assert message(load_data, path) == (
        f"{path}: the images are of several sizes, 8 of 10 looked at of 8x8; bring them to one, or "
        "train with --resize bilinear --set height=8 --set width=8"
    )
    assert load_data(path, size=(4, 6)).shape == (4, 6, 3)


def test_broken_image_and_wrong_layout_are_named(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "pets")
    (tmp_path / "pets" / "cat" / "03.png").write_bytes(b"no image")
    text = message(load_data, tmp_path / "pets")
    assert text.startswith(f"{tmp_path / 'pets'}: image 'cat/03.png' cannot be decoded (")
    (tmp_path / "pets" / "loose.png").write_bytes(png(1))
    assert message(load_data, tmp_path / "pets") == (
        f"{tmp_path / 'pets'}: image 'loose.png' is not at CLASS/FILE; put each image into a "
        "folder named after its class"
    )


def test_class_without_training_images(tmp_path: Path) -> None:
    write_image_folder(tmp_path / "p" / "train")
    write_image_folder(tmp_path / "p" / "test")
    (tmp_path / "p" / "test" / "emu").mkdir()
    (tmp_path / "p" / "test" / "emu" / "1.png").write_bytes(png(1))
    assert message(load_data, tmp_path / "p") == (
        f"{tmp_path / 'p'}/test: class 'emu' has no training images"
    )


def test_stratified_share_of_each_class() -> None:
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20, np.int64)
    rest, held = stratified(labels, 0.1, seed=7)
    assert sorted([*rest, *held]) == list(range(100))
    assert np.bincount(labels[held]).tolist() == [5, 3, 2]
    assert message(stratified, np.array([0, 0, 1], np.int64), 0.1, 0) == (
        "class 1 has 1 image(s): too few to split; give every class at least 3 images"
    )


@pytest.mark.parametrize(("name", "counts"), [("digits", 1797), ("mnist5k", 5000)])
def test_named_data_has_a_fixed_test_split(name: str, counts: int) -> None:
    one, two = load_data(name, seed=1), load_data(name, seed=2)
    assert np.array_equal(one.test.images, two.test.images)
    assert not np.array_equal(one.train.images, two.train.images)
    assert len(one.train) + len(one.validation) + len(one.test) == counts
    assert one.classes == tuple("0123456789")
    assert one.train.images.max() >= 250


def test_preprocess_resizes_pads_and_refuses() -> None:
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    shape = {"height": 4, "width": 4, "channels": 1}
    assert preprocess(images, shape) is images
    padded = preprocess(images, {"height": 7, "width": 6, "channels": 1, "resize": "pad"})
    assert np.array_equal(padded[:, 1:5, 1:5], images)
    assert int(padded.sum()) == int(images.sum())
    flat = np.full((1, 4, 4, 3), 77, np.uint8)
    large = preprocess(flat, {"height": 9, "width": 5, "channels": 3, "resize": "bilinear"})
    assert large.shape == (1, 9, 5, 3)
    assert set(large.ravel()) == {77}
    assert message(preprocess, images, {"height": 8, "width": 6, "channels": 1}) == (
        "images are 4x4 but the network takes 8x6 and its preprocessing does not resize; "
        "use images of that size or train with --resize bilinear or pad"
    )
    assert message(preprocess, images, {"height": 4, "width": 4, "channels": 3}) == (
        "images have 1 channel(s) but the network takes 3; use data with as many channels as the "
        "network was trained on"
    )
    assert message(
        preprocess, images, {"height": 3, "width": 4, "channels": 1, "resize": "pad"}
    ) == (
        "images are 4x4, larger than the network's 3x4: they cannot be padded; "
        "train with --resize bilinear"
    )
    assert message(preprocess, images, {"height": 4, "width": 4}) == (
        "preprocessing: 'channels' is missing"
    )
    assert message(preprocess, images, {**shape, "mean": 1}) == (
        "preprocessing: unknown key 'mean'; known: height, width, channels, resize, input_bits"
    )
    assert message(preprocess, images.astype(np.float32), shape) == (
        "images of type float32 and shape (2, 4, 4, 1): "
        "preprocessing takes uint8 images in (N, H, W, C) order"
    )
