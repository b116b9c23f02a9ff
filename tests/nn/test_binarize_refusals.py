"""binarize: what cannot be taken is one line, and the fix that it names works."""

import copy
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as functional
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from sephw.errors import SephwError
from sephw.nn import binarize, freeze
from tests.nn.networks import image_batch
from tests.nn.torch_networks import Plain

SHAPE = (3, 8, 7)


def chain(*layers):
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), *layers)


class Call(nn.Module):
    """One convolution with ReLU, then a function of its result."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.tail = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, padding=1)
        self.other, self.norm = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.fc, self.fc2 = nn.Linear(4, 4), nn.Linear(4, 4)
        self.function = function

    def forward(self, x):
        return self.function(SimpleNamespace(x=x, y=torch.relu(self.conv(x)), net=self))


def pooled(y):
    return functional.adaptive_avg_pool2d(y, 1)


NO_RELU = "only ReLU becomes the unsigned clip that the hardware has; use nn.ReLU and fine-tune"
NO_PRODUCT = (
    "only additions are computed between layers; leave it to the weights of a Conv2d, or to an "
    "nn.BatchNorm2d right after it"
)
SUPPORTED = (
    "not supported in a pattern network; supported: Conv2d, BatchNorm2d, ReLU, MaxPool2d, "
    "AvgPool2d, AdaptiveAvgPool2d(1), Linear, Flatten, Dropout, +, concatenation"
)
# the network, the message, the network with what the message advises
REFUSED = [
    (lambda: chain(nn.LeakyReLU()), f"LeakyReLU '2': {NO_RELU}", lambda: chain(nn.ReLU())),
    (lambda: chain(nn.ReLU6(inplace=True)), f"ReLU6 '2': {NO_RELU}", lambda: chain(nn.ReLU())),
    (
        lambda: Call(lambda c: functional.leaky_relu(c.net.tail(c.y))),
        f"leaky_relu 'leaky_relu': {NO_RELU}",
        lambda: Call(lambda c: torch.relu(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: c.net.tail(c.y).sigmoid()),
        f"sigmoid 'sigmoid': {NO_RELU}",
        lambda: Call(lambda c: c.net.tail(c.y).relu()),
    ),
    (
        lambda: Call(lambda c: c.net.tail(c.y).clamp(min=0)),
        f"clamp 'clamp': {NO_RELU}",
        lambda: Call(lambda c: c.net.tail(c.y).relu()),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 3, dilation=2)),
        "Conv2d '2': dilation (2, 2); use a dilation of 1",
        lambda: chain(nn.Conv2d(4, 4, 3)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 2)),
        "Conv2d '2': a pattern of even size 2×2; use an odd "
        "kernel, or leave the layer 8-bit with keep='2'",
        lambda: chain(nn.Conv2d(4, 4, 3)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 3, stride=(1, 2))),
        "Conv2d '2': unequal strides (1, 2); use one stride",
        lambda: chain(nn.Conv2d(4, 4, 3, stride=2)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")),
        "Conv2d '2': "
        "padding_mode 'reflect'; only zeros can enter at the border, use padding_mode='zeros'",
        lambda: chain(nn.Conv2d(4, 4, 3, padding=1)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 3, padding=3)),
        "Conv2d '2': a padding of 3 rows for a kernel "
        "of 3; windows outside the map compute nothing, use at most 2",
        lambda: chain(nn.Conv2d(4, 4, 3, padding=2)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 1, padding=1)),
        "Conv2d '2': a padding of 1 rows for a kernel "
        "of 1; windows outside the map compute nothing, use at most 0",
        lambda: chain(nn.Conv2d(4, 4, 1)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, (3, 1), padding=(1, 1))),
        "Conv2d '2': a padding of 1 columns "
        "for a kernel of 1; windows outside the map compute nothing, use at most 0",
        lambda: chain(nn.Conv2d(4, 4, (3, 1), padding=(1, 0))),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3)),
        "Conv2d '3': reads the result of "
        "Conv2d '2', which no ReLU follows; put nn.ReLU between them",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 3)),
    ),
    (
        lambda: chain(nn.BatchNorm2d(4)),
        "BatchNorm2d '2': no convolution of its own before it; "
        "place it right after a Conv2d whose result goes nowhere else",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)),
    ),
    (
        lambda: chain(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)),
        "BatchNorm2d '4': behind a global pool; put its convolution and it before the pool",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)),
        "BatchNorm2d '3': has no running statistics; build it with track_running_stats=True",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)),
    ),
    (
        lambda: chain(nn.GroupNorm(2, 4)),
        "GroupNorm '2': needs the statistics of each image; use "
        "nn.BatchNorm2d right after a Conv2d",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)),
    ),
    (lambda: chain(nn.ConvTranspose2d(4, 4, 3)), f"ConvTranspose2d '2': {SUPPORTED}", None),
    (
        lambda: chain(nn.Linear(7, 4)),
        "Linear '2': its input is a map of (4, 8, 7); put "
        "nn.Flatten() before it, and give it in_features=224",
        lambda: chain(nn.Flatten(), nn.Linear(224, 4)),
    ),
    (
        lambda: chain(nn.Flatten()),
        "output: returns a flattened map, the result of Conv2d '0'; "
        "return the map itself, or put nn.Linear behind it",
        lambda: chain(),
    ),
    (lambda: chain(nn.Flatten(), nn.Unflatten(1, (8, 4, 7))), f"Unflatten '3': {SUPPORTED}", None),
    (
        lambda: chain(nn.Flatten(0)),
        "Flatten '2': makes (672,) of (3, 4, 8, 7); only flattening of "
        "each image is supported, nn.Flatten()",
        lambda: chain(nn.Flatten(), nn.Linear(224, 4)),
    ),
    (
        lambda: chain(nn.Flatten(2)),
        "Flatten '2': makes (3, 4, 56) of (3, 4, 8, 7); only flattening "
        "of each image is supported, nn.Flatten()",
        lambda: chain(nn.Flatten(), nn.Linear(224, 4)),
    ),
    (
        lambda: chain(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 5, 3, padding=1)),
        "Conv2d '3': reads a "
        "globally pooled tensor; give it kernel_size=1, padding=0 and groups=1, or put it "
        "before the "
        "pool",
        lambda: chain(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 5, 1)),
    ),
    (
        lambda: chain(nn.AvgPool2d((8, 7)), nn.Conv2d(4, 4, 1, groups=2)),
        "Conv2d '3': reads a "
        "globally pooled tensor; give it kernel_size=1, padding=0 and groups=1, or put it "
        "before the "
        "pool",
        lambda: chain(nn.Conv2d(4, 4, 1, groups=2), nn.ReLU(), nn.AvgPool2d((8, 7))),
    ),
    (
        lambda: chain(nn.AdaptiveAvgPool2d(1), nn.MaxPool2d(1)),
        "MaxPool2d '3': reads a globally "
        "pooled tensor, of one pixel; put it before the pool, or leave it away",
        lambda: chain(nn.MaxPool2d(1), nn.AdaptiveAvgPool2d(1)),
    ),
    (
        lambda: chain(nn.AdaptiveAvgPool2d(2)),
        "AdaptiveAvgPool2d '2': output size 2; use "
        "nn.AdaptiveAvgPool2d(1), or nn.AvgPool2d with a kernel",
        lambda: chain(nn.AvgPool2d(4, 3)),
    ),
    (
        lambda: chain(nn.AvgPool2d(5)),
        "AvgPool2d '2': an average over 5×5 is not exact in float32; "
        "use kernel_size 2, 3, 4, 6, 8 or 12",
        lambda: chain(nn.AvgPool2d(6, padding=2)),
    ),
    (
        lambda: chain(nn.AvgPool2d(3, 1, 1, count_include_pad=False)),
        "AvgPool2d '2': "
        "count_include_pad=False divides by another number at the border; use "
        "count_include_pad=True",
        lambda: chain(nn.AvgPool2d(3, 1, 1)),
    ),
    (
        lambda: chain(nn.AvgPool2d(2, divisor_override=3)),
        "AvgPool2d '2': divisor_override=3; leave it away, the next layer learns the factor",
        lambda: chain(nn.AvgPool2d(2)),
    ),
    (
        lambda: chain(nn.AvgPool2d((2, 4), 2)),
        "AvgPool2d '2': a window that is not square; use equal sizes",
        lambda: chain(nn.AvgPool2d(4, 2)),
    ),
    (
        lambda: chain(nn.MaxPool2d(3, 2, ceil_mode=True)),
        "MaxPool2d '2': ceil_mode makes 4×3 of "
        "8×7; use ceil_mode=False with a padding that gives this size",
        lambda: chain(nn.MaxPool2d(3, 2, (1, 0))),
    ),
    (
        lambda: chain(nn.MaxPool2d(2, dilation=2)),
        "MaxPool2d '2': dilation (2, 2); use a dilation of 1",
        lambda: chain(nn.MaxPool2d(2)),
    ),
    (
        lambda: chain(nn.MaxPool2d(2, return_indices=True)),
        "MaxPool2d '2': returns indices; use return_indices=False",
        lambda: chain(nn.MaxPool2d(2)),
    ),
    (
        lambda: chain(nn.Conv2d(4, 4, 1), nn.MaxPool2d(2)),
        "MaxPool2d '3': reads the result of "
        "Conv2d '2', which no ReLU follows; put nn.ReLU between them",
        lambda: chain(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.MaxPool2d(2)),
    ),
    (
        lambda: chain(nn.Softmax(1)),
        "Softmax '2': not computed in hardware; return the logits instead",
        lambda: chain(),
    ),
    (
        lambda: Call(lambda c: functional.log_softmax(c.y, 1)),
        "log_softmax 'log_softmax': not computed in hardware; return the logits instead",
        lambda: Call(lambda c: c.y),
    ),
    (
        lambda: Call(lambda c: functional.conv2d(c.y, c.net.tail.weight)),
        "conv2d 'conv2d': a layer as a function; use the module nn.Conv2d",
        lambda: Call(lambda c: c.net.tail(c.y)),
    ),
    (
        lambda: Call(lambda c: functional.linear(pooled(c.y).flatten(1), c.net.fc.weight)),
        "linear 'linear': a layer as a function; use the module nn.Linear",
        lambda: Call(lambda c: c.net.fc(pooled(c.y).flatten(1))),
    ),
    (
        lambda: Call(
            lambda c: functional.batch_norm(
                c.net.tail(c.y), c.net.norm.running_mean, c.net.norm.running_var
            )
        ),
        "batch_norm 'batch_norm': a layer as a function; use the module nn.BatchNorm2d",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: c.y[:, :2]),
        "getitem 'getitem': takes part of a tensor; compute the part by a Conv2d of its own",
        lambda: Call(lambda c: c.net.tail(c.y)),
    ),
    (
        lambda: Call(lambda c: c.y.to(torch.float64)),
        "to 'to': changes a type or a gradient, not a value; leave it away",
        lambda: Call(lambda c: c.y),
    ),
    (
        lambda: Call(lambda c: c.y + 1),
        "add 'add': adds a constant or a multiple; add two tensors as they are",
        lambda: Call(lambda c: c.y + c.y),
    ),
    (
        lambda: Call(lambda c: torch.add(c.y, c.y, alpha=2)),
        "add 'add': adds a constant or a multiple; add two tensors as they are",
        lambda: Call(lambda c: torch.add(c.y, c.y)),
    ),
    (
        lambda: Call(lambda c: c.y + functional.avg_pool2d(c.y, 3, 1, 1)),
        "add 'add': adds an "
        "average pool's or product's result, which is 1 and 0.5625 times as large here; put a "
        "convolution after it (nn.Linear after a global pool)",
        lambda: Call(lambda c: c.y + c.net.tail(functional.avg_pool2d(c.y, 3, 1, 1))),
    ),
    (
        lambda: Call(lambda c: pooled(c.y).flatten(1) + c.net.fc(pooled(c.y).flatten(1))),
        "add 'add': adds an average pool's or product's result, which is 0.875 and 1 times "
        "as large "
        "here; put a convolution after it (nn.Linear after a global pool)",
        lambda: Call(
            lambda c: c.net.fc2(pooled(c.y).flatten(1)) + c.net.fc(pooled(c.y).flatten(1))
        ),
    ),
    (
        lambda: Call(lambda c: c.y + c.y.mean([2, 3], keepdim=True)),
        "add 'add': adds tensors of different shapes; give both the same",
        lambda: Call(lambda c: pooled(c.y) + c.y.mean([2, 3], keepdim=True)),
    ),
    (
        lambda: Call(lambda c: torch.cat([c.y, c.net.tail(c.y)], 1)),
        "concat 'cat': joins the "
        "result of Conv2d 'tail', which no ReLU follows; put nn.ReLU before the concatenation",
        lambda: Call(lambda c: torch.cat([c.y, c.net.tail(c.y).relu()], 1)),
    ),
    (
        lambda: Call(lambda c: torch.cat([c.y, c.y], 2)),
        "concat 'cat': joins another axis than channels; use dim=1",
        lambda: Call(lambda c: torch.cat([c.y, c.y], dim=-3)),
    ),
    (
        lambda: Call(lambda c: torch.cat([functional.avg_pool2d(c.y, 3, 1, 1), c.y], 1)),
        "output: concat 'cat' joins an average pool's or product's result, which is 0.5625 "
        "times as "
        "large here, with others; put a convolution or nn.Linear behind it",
        lambda: chain(nn.AvgPool2d(3, 1, 1), nn.Flatten(), nn.Linear(224, 4)),
    ),
    (
        lambda: Call(lambda c: torch.cat([c.y.flatten(1), c.y.flatten(1)], 1)),
        "concat 'cat': joins "
        "a flattened map, the result of Conv2d 'conv'; concatenate the maps, and flatten behind it",
        lambda: Call(lambda c: torch.cat([c.y, c.y], 1)),
    ),
    (
        lambda: Call(lambda c: c.net.tail(torch.relu(c.net.tail(c.y)))),
        "Conv2d 'tail': called twice; give each use a module of its own",
        lambda: Call(lambda c: c.net.other(torch.relu(c.net.tail(c.y)))),
    ),
    (
        lambda: Call(lambda c: c.y * -2),
        f"mul 'mul': {NO_PRODUCT}",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: c.y * c.y),
        f"mul 'mul': {NO_PRODUCT}",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: torch.div(c.y, 2, rounding_mode="floor")),
        "div 'div': rounding_mode=floor is not supported; leave it away",
        lambda: Call(lambda c: torch.div(c.y, 2)),
    ),
    (
        lambda: Call(lambda c: c.net.tail(c.y) * c.net.norm.weight.view(1, -1, 1, 1)),
        f"mul 'mul': {NO_PRODUCT}",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: (c.x - 0.5) / 0.25),
        f"sub 'sub': {NO_PRODUCT}",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
    (
        lambda: Call(lambda c: c.y.mean(1)),
        "mean 'mean': averages axes 1; only height and width, (2, 3)",
        lambda: Call(lambda c: c.y.mean((2, 3))),
    ),
    (
        lambda: Call(lambda c: (c.y, c.y)),
        "output: the network returns several tensors; return the logits only",
        lambda: Call(lambda c: c.y),
    ),
    (
        lambda: Call(lambda c: functional.dropout(c.y, 0.5)),
        "dropout 'dropout': drops in evaluation as well; use nn.Dropout, or training=self.training",
        lambda: Call(lambda c: functional.dropout(c.y, 0.5, training=c.net.training)),
    ),
    (
        lambda: Call(lambda c: c.y if c.y.sum() > 0 else c.x),
        "Call: torch.fx cannot trace it "
        "(symbolically traced variables cannot be used as inputs to control flow); make its "
        "forward "
        "free of branches that depend on values",
        lambda: Call(lambda c: c.y),
    ),
    (
        lambda: Call(lambda c: nn.ReLU()(c.y)),
        "Call: torch.fx cannot trace it (module is not "
        "installed as a submodule); make the module in __init__ and keep it as an attribute",
        lambda: Call(lambda c: c.net.norm(c.net.tail(c.y))),
    ),
]


@pytest.mark.parametrize(
    ("build", "text", "fixed"), REFUSED, ids=[text[:40] for _, text, _ in REFUSED]
)
def test_what_cannot_be_taken_is_one_line_and_its_fix_works(build, text, fixed):
    torch.manual_seed(3)
    with pytest.raises(SephwError) as error:
        binarize(build().eval(), input_shape=SHAPE)
    assert str(error.value) == text
    if fixed is not None:
        images = image_batch(SHAPE)
        network, _ = binarize(fixed().eval(), input_shape=SHAPE, stage="BQ", calibration=images)
        freeze(network.eval())


def test_missing_and_wrong_arguments():
    with pytest.raises(SephwError) as error:
        binarize(Plain())
    assert str(error.value) == "Plain: binarize needs input_shape=(channels, height, width)"
    with pytest.raises(SephwError) as error:
        binarize(Plain(), input_shape=(1, 12, 12), stage="BQ")
    assert str(error.value) == (
        "binarize to stage BQ: activation scales need calibration=images; "
        "give some training images, or stop at stage B"
    )
    with pytest.raises(SephwError, match=r"Plain: cannot run on an input of shape \(3, 12, 12\)"):
        binarize(Plain(), input_shape=(3, 12, 12))
    with pytest.raises(SephwError) as error:
        binarize(Plain().state_dict(), input_shape=(1, 12, 12))
    assert str(error.value) == (
        "OrderedDict: is no torch network; give a torch.nn.Module with its weights loaded"
    )


def test_wrappers_and_other_precisions_are_taken():
    """DataParallel, torch.compile, half and double: the same network inside."""
    model = chain(nn.Conv2d(4, 4, 3)).half().eval()
    want, _ = binarize(copy.deepcopy(model).float(), input_shape=SHAPE, stage="R")
    inner = copy.deepcopy(model)
    inner[2] = torch.compile(inner[2])
    wrapped = [
        nn.DataParallel(model),
        torch.compile(model),
        torch.compile(nn.DataParallel(model)),
        model,
        copy.deepcopy(model).double(),
        copy.deepcopy(model).bfloat16().half(),
        inner,
    ]
    images = image_batch(SHAPE)
    for given in wrapped[:5] + wrapped[6:]:
        network, _ = binarize(given, input_shape=SHAPE, stage="R")
        assert torch.equal(network.eval()(images), want.eval()(images))
        assert next(network.parameters()).dtype == torch.float32
    assert next(model.parameters()).dtype == torch.float16


def normed():
    return parametrizations.weight_norm(nn.Conv2d(4, 4, 3))


def pruned():
    return prune.l1_unstructured(nn.Conv2d(4, 4, 3), "weight", 0.5)


@pytest.mark.parametrize(
    ("make", "text", "fix"),
    [
        (
            normed,
            "ParametrizedConv2d '2': its weights are computed by a parametrization; call "
            "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight') first",
            lambda layer: parametrize.remove_parametrizations(layer, "weight"),
        ),
        (
            lambda: nn.utils.weight_norm(nn.Conv2d(4, 4, 3)),
            "Conv2d '2': its weights are computed "
            "by weight_norm; call torch.nn.utils.remove_weight_norm(module) first",
            nn.utils.remove_weight_norm,
        ),
        (
            lambda: nn.utils.spectral_norm(nn.Conv2d(4, 4, 3)),
            "Conv2d '2': its weights are computed "
            "by spectral_norm; call torch.nn.utils.remove_spectral_norm(module) first",
            nn.utils.remove_spectral_norm,
        ),
        (
            pruned,
            "Conv2d '2': its weight is pruned by a mask; call "
            "torch.nn.utils.prune.remove(module, 'weight') first",
            lambda layer: prune.remove(layer, "weight"),
        ),
        (
            lambda: nn.LazyConv2d(4, 3),
            "LazyConv2d '2': has no weights yet; run the network once on an image",
            lambda layer: layer(torch.zeros(1, 4, 5, 5)),
        ),
    ],
)
def test_weights_that_are_computed_are_refused_and_the_fix_works(make, text, fix):
    layer = make()
    model = chain(layer).eval()
    with pytest.raises(SephwError) as error:
        binarize(model, input_shape=SHAPE)
    assert str(error.value) == text
    fix(layer)
    binarize(model, input_shape=SHAPE)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["0.weight", "0.bias", "1.running_var"])
def test_weights_that_are_not_finite_are_named(name, value):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    model.state_dict()[name].view(-1)[1] = value
    with pytest.raises(SephwError) as error:
        binarize(model.eval(), input_shape=SHAPE)
    path, _, what = name.partition(".")
    assert str(error.value) == (
        f"{type(model[int(path)]).__name__} '{path}': its {what} holds NaN or infinity; load a "
        "checkpoint from before the training diverged"
    )
