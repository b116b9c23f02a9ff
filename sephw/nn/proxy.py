"""Proxies of a trace in which `y += x` is a call of its own, as in torch."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from torch import fx


def _in_place(name: str) -> Callable[[fx.Proxy, Any], fx.Proxy]:
    target = getattr(operator, name)

    def method(self: fx.Proxy, other: Any) -> fx.Proxy:
        return self.tracer.create_proxy("call_function", target, (self, other), {})

    return method


class InPlaceProxy(fx.Proxy):
    """fx takes ``y += x`` for ``y + x``, which leaves other names of the same tensor as they were,
    and refuses ``y[i] = x``."""

    __iadd__ = _in_place("iadd")
    __isub__ = _in_place("isub")
    __imul__ = _in_place("imul")
    __itruediv__ = _in_place("itruediv")
    __ifloordiv__ = _in_place("ifloordiv")
    __imod__ = _in_place("imod")
    __ipow__ = _in_place("ipow")

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, key, value), {})
