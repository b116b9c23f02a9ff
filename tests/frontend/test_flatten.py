"""Traced networks with their modules at the top."""

from types import SimpleNamespace

import torch
from torch import fx, nn

from sephw.frontend.flatten import flatten
from sephw.frontend.scope import module_of


class Nested(nn.Module):
    """Modules of one last name, one of them called twice, and a parameter that is read."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Linear(3, 3), nn.Dropout())
        self.second = nn.ModuleDict({"act": nn.ReLU(), "0": nn.Linear(3, 2)})
        self.third = nn.ParameterDict({"shift": nn.Parameter(torch.tensor([0.5, -1.5]))})

    def forward(self, x):
        x = self.second["act"](self.first(x))
        return self.second["0"](self.second["act"](-x)) + self.third["shift"]


def traced() -> fx.GraphModule:
    torch.manual_seed(0)
    return fx.symbolic_trace(Nested()).eval()


def test_the_flat_network_is_the_same_network():
    network = traced()
    flat = flatten(network)
    x = torch.randn(5, 3)
    assert torch.equal(flat.network(x), network(x))
    assert not flat.network.training and not any(m.training for m in flat.network.modules())
    paths = ["first.0", "first.1", "second.act", "second.0", "third.shift"]
    assert flat.modules == {f"m{i}": path for i, path in enumerate(paths)}
    # The modules themselves, not copies, and the network that was given is as it was.
    assert flat.network.m2 is network.second.act and flat.network.m4 is network.third.shift
    assert [n.target for n in network.graph.nodes if n.op == "call_module"] == [
        "first.0",
        "first.1",
        "second.act",
        "second.act",
        "second.0",
    ]


class Props(list):
    """Metadata as protobuf has it."""

    def add(self, key, value):
        self.append(SimpleNamespace(key=key, value=value))


def test_scopes_have_the_paths_of_modules():
    flat = flatten(traced())
    names = ["/m2/act_quant/Relu", "/m3/Gemm", "/Add", "Neg", "/m3x/Gemm"]
    nodes = [SimpleNamespace(name=name, metadata_props=Props()) for name in names]
    flat.restore_scopes(nodes)
    # What is inside of a layer of Brevitas counts as the layer.
    assert [module_of(node) for node in nodes] == ["second.act", "second.0", "", "", "m3x"]
