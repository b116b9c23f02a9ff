"""Calibration images: what is taken gives the same scales, the rest is refused by name."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from sephw.errors import SephwError
from sephw.nn import QuantReLU, SEPNet, to_stage
from sephw.nn.images import MOST_IMAGES, calibration_images
from tests.nn.networks import enliven, image_batch

SHAPE = (3, 8, 6)
PIXELS = (image_batch(SHAPE, 6) * 256).to(torch.uint8)
LABELS = torch.arange(6)


def batches(images):
    yield from (images[:4], images[4:])


TAKEN = {
    "uint8": lambda: PIXELS,
    "k/256": lambda: PIXELS.float() / 256,
    "k/255": lambda: PIXELS.float() / 255,
    "float64": lambda: PIXELS.double() / 256,
    "float16": lambda: (PIXELS.float() / 256).half(),
    "bfloat16": lambda: (PIXELS.float() / 256).bfloat16(),
    "NHWC": lambda: PIXELS.permute(0, 2, 3, 1),
    "channels last": lambda: PIXELS.contiguous(memory_format=torch.channels_last),
    "numpy NHWC": lambda: PIXELS.permute(0, 2, 3, 1).numpy(),
    "numpy reversed": lambda: PIXELS.numpy()[::-1][::-1],
    "numpy float": lambda: PIXELS.numpy() / 256,
    "with gradient": lambda: (PIXELS.float() / 256).requires_grad_(),
    "DataLoader": lambda: DataLoader(TensorDataset(PIXELS.float() / 255, LABELS), 4),
    "DataLoader of images": lambda: DataLoader(PIXELS.float() / 256, 5),
    "data set": lambda: TensorDataset(PIXELS, LABELS),
    "generator": lambda: batches(PIXELS),
    "list": lambda: [image.numpy() for image in PIXELS],
}


@pytest.mark.parametrize("name", TAKEN)
def test_whatever_holds_the_images_gives_their_pixels(name):
    assert torch.equal(calibration_images(TAKEN[name](), SHAPE), PIXELS)


def test_grey_images_need_no_channel():
    assert torch.equal(calibration_images(PIXELS[:, 0], (1, 8, 6)), PIXELS[:, :1])
    assert torch.equal(calibration_images(PIXELS[2, 0], (1, 8, 6)), PIXELS[2:3, :1])
    assert torch.equal(calibration_images(PIXELS[2].permute(1, 2, 0), SHAPE), PIXELS[2:3])


def test_a_loader_without_end_is_read_for_2048_images():
    def forever():
        while True:
            yield PIXELS, LABELS

    assert len(calibration_images(forever(), SHAPE)) == MOST_IMAGES


def with_value(value):
    images = PIXELS.float() / 256
    images[2, 1, 3, 3] = value
    return images


FIX = "give uint8 images, or floats of uint8 / 256"
KINDS = "give a tensor, a NumPy array, or a DataLoader of (images, labels)"
BLACK = f"are all black; perhaps they are divided by 255 twice; {FIX}"
REFUSED = [
    (lambda: PIXELS.float(), f"hold 255; the network's input is at most 255/256; {FIX}"),
    (
        lambda: with_value(-0.5),
        f"hold -0.5; the network's input is never negative; {FIX}, before normalization",
    ),
    (lambda: with_value(float("nan")), "image 2 holds NaN or infinity; leave it out"),
    (lambda: with_value(float("inf")), "image 2 holds NaN or infinity; leave it out"),
    (lambda: PIXELS[:0], "there are none, their shape is (0, 3, 8, 6); give some"),
    (list, "there are none; give some training images"),
    (lambda: PIXELS.float() / 255 / 255, BLACK),
    (lambda: torch.zeros(4, *SHAPE), BLACK),
    (lambda: PIXELS.long(), f"are int64; {FIX}"),
    (lambda: PIXELS > 3, f"are bool; {FIX}"),
    (lambda: PIXELS.numpy().astype(object), f"are object; {FIX}"),
    (lambda: PIXELS + 1j, f"are complex64; {FIX}"),
    (lambda: PIXELS.numpy().astype(">f4"), f"are >f4; {FIX}"),
    (lambda: PIXELS.to_sparse(), f"are no plain tensor; {FIX}"),
    (lambda: torch.empty(4, *SHAPE, device="meta"), f"are no plain tensor; {FIX}"),
    (
        lambda: PIXELS[:, :, :7],
        "have shape (6, 3, 7, 6); the network takes 3 channels of 8×6; give "
        "(N, 3, 8, 6) or (N, 8, 6, 3)",
    ),
    (
        lambda: PIXELS[:, :1],
        "have shape (6, 1, 8, 6); the network takes 3 channels of 8×6; give "
        "(N, 3, 8, 6) or (N, 8, 6, 3)",
    ),
    (lambda: "images/", f"str holds no images; {KINDS}"),
    (lambda: 3, f"int holds no images; {KINDS}"),
    (lambda: {"image": PIXELS}, f"dict holds no images; {KINDS}"),
    (lambda: [{"image": PIXELS}], f"a batch holds dict; {KINDS}"),
    (lambda: [(PIXELS, LABELS), ("a", "b")], f"a batch holds str; {KINDS}"),
]


@pytest.mark.parametrize(("build", "text"), REFUSED, ids=[text[:30] for _, text in REFUSED])
def test_the_rest_is_refused_before_the_network_moves(build, text):
    network = SEPNet(height=8, width=6, widths=(8,), modules=(0,), classes=3)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    with pytest.raises(SephwError) as error:
        to_stage(network, "BQ", calibration=build())
    assert str(error.value) == f"calibration images: {text}"
    after = network.state_dict()
    assert network.stage == "R" and after.keys() == before.keys()
    assert all(torch.equal(after[k], v) for k, v in before.items())


def test_calibration_again_chooses_the_same_scales():
    torch.manual_seed(1)
    network = enliven(SEPNet(height=8, width=6, widths=(8,), modules=(0,), classes=3))
    to_stage(network, "BQ", calibration=PIXELS)
    acts = [m for m in network.modules() if isinstance(m, QuantReLU)]
    chosen = [act.exponent for act in acts]
    for act in acts:
        act.exponent = 16
    to_stage(network, "BQ", calibration=np.asarray(PIXELS))
    assert [act.exponent for act in acts] == chosen
    assert not any(act.act_quant.disable_quant for act in acts)
