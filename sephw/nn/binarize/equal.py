"""Check that the rewritten network computes what the given one does, call by call."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn

from sephw.errors import SephwError
from sephw.nn.binarize.call import describe
from sephw.nn.binarize.in_place import Values
from sephw.nn.binarize.trace import EXAMPLES, Trace
from sephw.nn.binarize.values import Rewritten

# Both sides compute in float64; only the order of sums and average pools' factors differ.
RELATIVE_ERROR = 1e-7
LARGE_MACS = 100_000_000


def check_calls(
    source: nn.Module, trace: Trace, old: Values, new: Rewritten, images: Tensor
) -> None:
    """Raise SephwError naming the first call whose result differs on ``images`` (N, C, H, W).

    ``source`` in float64 and ``trace`` are the given network, ``old`` its calls without in-place
    writes, ``new`` the rewritten network, in float64 as well.
    """
    modules = dict(source.named_modules())
    for batch in images.split(EXAMPLES):
        given = _Capture(source, trace.graph).results(batch.clone())
        made = _Capture(new.root, new.graph).results(batch)
        for node, value in new.values.items():
            origin = old.origins[node]
            got, want = made[value.node], given[origin]
            shaped = got / value.gain.view(1, -1, *[1] * (got.ndim - 2))
            if not _close(shaped.flatten(1), want.reshape(len(want), -1)):
                raise SephwError(
                    f"{describe(origin, modules)}: computes something else here than in the given "
                    "network; write it as a layer of torch.nn, without hooks and without changing "
                    "tensors in place"
                )


def check_whole(model: nn.Module, new: Rewritten, images: Tensor) -> None:
    """Raise SephwError where ``model`` and ``new``, in float64, differ on a batch of another size.

    This finds what no trace holds: hooks, state, random numbers, batches of one size only.
    """
    name = type(model).__name__
    batch = images[:EXAMPLES]
    wider = torch.cat([batch, 1 - batch[:1]])
    with torch.no_grad():
        try:
            want, again = model(wider.clone()), model(wider.clone())
        except Exception as error:
            reason = (str(error).splitlines() or [""])[0]
            raise SephwError(
                f"{name}: cannot run on {len(wider)} images at once ({reason}); let its forward "
                "take batches of any size"
            ) from error
        if not torch.equal(want, again):
            raise SephwError(
                f"{name}: gives two results for the same images; remove random numbers and state "
                "from its forward"
            )
        got = fx.GraphModule(new.root, new.graph).eval()(batch)
    shaped = got / new.result.gain.view(1, -1, *[1] * (got.ndim - 2))
    if len(want) != len(wider) or not _close(
        shaped.flatten(1), want[:EXAMPLES].reshape(EXAMPLES, -1)
    ):
        raise SephwError(
            f"{name}: computes something else than the calls that torch.fx sees in its forward; "
            "remove hooks and state, and what depends on the number of images"
        )


def trial_images(new: Rewritten, input_shape: tuple[int, int, int]) -> Tensor:
    """Images k/256, float64: random, those that drive the result of ``new`` furthest up and down,
    white, black, one pixel, a chessboard, halves, and sparse. Large networks get the first three.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (9, *input_shape), generator=generator).double()
    pixels = (images[:1] / 256).requires_grad_()
    network = fx.GraphModule(new.root, new.graph).eval()
    (slope,) = torch.autograd.grad(network(pixels).sum(), pixels, allow_unused=True)
    if slope is not None:
        images[1], images[2] = 255 * (slope[0] > 0), 255 * (slope[0] < 0)
    images[3], images[4], images[5] = 255, 0, 0
    images[5, :, input_shape[1] // 2, input_shape[2] // 2] = 255
    rows, columns = torch.arange(input_shape[1])[:, None], torch.arange(input_shape[2])[None]
    images[6] = 255 * ((rows + columns) % 2)
    images[7] = 255 * (columns < input_shape[2] // 2)
    images[8] = images[8] * (images[8] > 250)
    return images[: 9 if new.macs < LARGE_MACS else EXAMPLES] / 256


def with_random_weights(source: nn.Module) -> nn.Module:
    """A copy with random parameters: zeros in a network would hide errors of the layers behind
    them.
    """
    generator = torch.Generator().manual_seed(0)
    made = copy.deepcopy(source)
    tensors: dict[str, Any] = {**dict(made.named_parameters()), **dict(made.named_buffers())}
    with torch.no_grad():
        for path, tensor in tensors.items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
            if path.endswith("running_var"):
                tensor.copy_(noise.abs() + 0.5)
            else:
                inputs = tensor[0].numel() if tensor.ndim > 1 else 4
                tensor.copy_(noise * (2 / inputs) ** 0.5)
    return made


class _Capture(fx.Interpreter):
    """Runs a graph and keeps a copy of every result as it was when it was made."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, garbage_collect_values=False, graph=graph)
        self.kept: dict[fx.Node, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.kept[n] = result.clone()
        return result

    def results(self, images: Tensor) -> dict[fx.Node, Tensor]:
        with torch.no_grad():
            self.run(images)
        return self.kept


def _close(got: Tensor, want: Tensor) -> bool:
    if got.shape != want.shape or not bool(torch.isfinite(want).all()):
        return False
    allowed = RELATIVE_ERROR * float(want.abs().max()) + 1e-12
    return float((got - want).abs().max()) <= allowed
