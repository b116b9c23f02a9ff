"""Conversion of a float torch network to the layers of `sephw.nn`, checked for equality."""

from __future__ import annotations

import copy

from torch import fx, nn

from sephw.nn.binarize.choose import LayerSelection, select_patterns
from sephw.nn.binarize.equal import check_calls, check_whole, trial_images, with_random_weights
from sephw.nn.binarize.in_place import without_writes
from sephw.nn.binarize.rewrite import Rewriter
from sephw.nn.binarize.source import readable_copy
from sephw.nn.binarize.trace import EXAMPLES, trace
from sephw.nn.structure import check_structure


def convert(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    choice: LayerSelection,
    scale_bits: int,
    activation_bits: int,
) -> tuple[nn.Module, fx.Graph]:
    """Root module and graph of the new network, weights copied; ``model`` is not changed.

    Both networks run in float64 on random and adversarial images, with the weights as they are
    and with random ones. SephwError naming the module for anything that the numerics contract or
    the engines exclude, and for the first call whose results differ.
    """
    source = readable_copy(model)
    whole = copy.deepcopy(source).double()
    traced = trace(source, type(model).__name__, input_shape)
    source.double()
    modules = dict(source.named_modules())
    old = without_writes(traced, modules)
    patterns = select_patterns(old.graph, modules, choice)
    new = Rewriter(modules, old, patterns, scale_bits, activation_bits).run()
    new.root.eval()
    images = trial_images(new, input_shape)
    check_calls(source, traced, old, new, images)
    check_whole(whole, new, images)
    lively = with_random_weights(source)
    other = Rewriter(dict(lively.named_modules()), old, patterns, scale_bits, activation_bits).run()
    other.root.eval()
    check_calls(lively, traced, old, other, images[:EXAMPLES])
    check_structure(fx.GraphModule(new.root.float(), new.graph), input_shape)
    return new.root.train(), new.graph
