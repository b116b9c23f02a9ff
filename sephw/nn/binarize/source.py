"""The user's network in readable form: a float32 copy on the CPU, without wrappers."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from sephw.errors import SephwError
from sephw.nn.finite import check_finite


def unwrapped(model: Any) -> nn.Module:
    """The module inside `DataParallel`, `DistributedDataParallel` or `torch.compile`.

    Raises SephwError for an object that is no torch network.
    """
    while not isinstance(model, torch.jit.ScriptModule) and (inner := _inside(model)) is not None:
        model = inner
    if not isinstance(model, nn.Module):
        raise SephwError(
            f"{type(model).__name__}: is no torch network; give a torch.nn.Module with its weights "
            "loaded"
        )
    return model


def readable_copy(model: nn.Module) -> nn.Module:
    """A copy to trace: float32, on the CPU, evaluating, wrappers inside taken away.

    Half and double precision become float32. SephwError, naming the module, for weights that are
    computed when they are used, and for weights that are not finite.
    """
    for path, module in model.named_modules():
        _check_stored(f"{type(module).__name__} '{path}'", module)
    try:
        source = copy.deepcopy(model)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise SephwError(
            f"{type(model).__name__}: cannot be copied ({reason}); give a network of plain "
            "torch.nn modules, weights loaded"
        ) from error
    for path, module in list(source.named_modules()):
        inner = _inside(module) if path else None
        if inner is not None:
            parent, _, name = path.rpartition(".")
            setattr(source.get_submodule(parent), name, unwrapped(inner))
    source = source.cpu().float().eval()
    check_finite(source)
    return source


def _inside(model: Any) -> Any:
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return model.module
    return getattr(model, "_orig_mod", None)


def _check_stored(where: str, module: nn.Module) -> None:
    if parametrize.is_parametrized(module):
        raise SephwError(
            f"{where}: its weights are computed by a parametrization; call "
            "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight') first"
        )
    if "weight_g" in module._parameters:
        raise SephwError(
            f"{where}: its weights are computed by weight_norm; call "
            "torch.nn.utils.remove_weight_norm(module) first"
        )
    if "weight_u" in module._buffers:
        raise SephwError(
            f"{where}: its weights are computed by spectral_norm; call "
            "torch.nn.utils.remove_spectral_norm(module) first"
        )
    for name in module._parameters:
        if name.endswith("_orig"):
            raise SephwError(
                f"{where}: its {name.removesuffix('_orig')} is pruned by a mask; call "
                f"torch.nn.utils.prune.remove(module, '{name.removesuffix('_orig')}') first"
            )
    lazy = nn.parameter.UninitializedTensorMixin
    if any(isinstance(tensor, lazy) for tensor in module._parameters.values()):
        raise SephwError(f"{where}: has no weights yet; run the network once on an image")
