"""binarize: every spelling of a call, writes in place included, computes what the model does."""

import inspect
import operator

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from sephw.errors import SephwError
from sephw.nn import binarize
from sephw.nn.binarize.words import FUNCTIONS
from tests.nn.networks import image_batch

SHAPE = (3, 8, 8)


class Parts(nn.Module):
    """Layers for a forward that a test brings: `head` ends it."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(7)
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.c, self.d = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.norm = nn.BatchNorm2d(4)
        self.relu, self.written = nn.ReLU(), nn.ReLU(inplace=True)
        self.drop, self.pool, self.fc = nn.Dropout(inplace=True), nn.AdaptiveAvgPool2d(1), None
        self.fc = nn.Linear(4, 5)
        self.register_buffer("steps", torch.zeros(4, 1, 1))
        object.__setattr__(self, "function", forward)

    def head(self, y):
        return self.fc(torch.flatten(self.pool(self.relu(y)), 1))

    def forward(self, x):
        return self.function(self, x)


def check(forward):
    """The rewritten network's logits are the model's."""
    model = Parts(forward).eval()
    images = image_batch(SHAPE)
    with torch.no_grad():
        want = model(images.clone())
    network, _ = binarize(model, input_shape=SHAPE, stage="R")
    with torch.no_grad():
        got = network.eval()(images)
    assert want.shape == got.shape and (want[0] != want[2]).any()
    assert torch.allclose(got, want, rtol=1e-5, atol=1e-6)


def add_statement(m, x):
    y = m.relu(m.a(x))
    z = m.b(y)
    z.add_(y)
    return m.head(z)


def relu_module_whose_input_is_read_again(m, x):
    y = m.b(m.relu(m.a(x)))
    z = m.written(y)
    return m.head(m.c(z) + y)


def relu_method_statement(m, x):
    y = m.b(m.relu(m.a(x)))
    y.relu_()
    return m.head(m.c(y))


def relu_function_statement(m, x):
    y = m.b(m.relu(m.a(x)))
    functional.relu(input=y, inplace=True)
    torch.relu_(y)
    return m.head(m.c(y))


def sum_of_an_alias(m, x):
    z = m.relu(m.a(x))
    y = m.b(z)
    other = y
    y += m.d(z)
    return m.head(other)


def sum_before_and_after(m, x):
    y = m.relu(m.a(x))
    z = m.b(y)
    before = m.c(m.relu(z))
    z += y
    return m.head(before + z)


def write_through_a_pass(m, x):
    y = m.b(m.relu(m.a(x)))
    m.drop(y).relu_()
    return m.head(m.c(y))


def write_through_contiguous(m, x):
    z = m.relu(m.a(x))
    y = m.b(z)
    y.contiguous().add_(other=z)
    return m.head(y)


def write_into_a_copy(m, x):
    y = m.b(m.relu(m.a(x)))
    z = y.clone()
    z.relu_()
    return m.head(m.c(z) + y)


def write_through_a_flattened_map(m, x):
    y = m.b(m.relu(m.a(x)))
    y.view(y.size(0), -1).relu_()
    return m.head(m.c(y))


def write_through_a_squeezed_pixel(m, x):
    y = m.pool(m.relu(m.a(x)))
    flat = y.flatten(1)
    z = m.fc(flat)
    z.relu_()
    return z


def write_into_the_image(m, x):
    y = m.b(m.relu(m.a(x)))
    torch.relu_(x)
    return m.head(y)


def named_input(m, x):
    return m.head(y=m.b(input=m.relu(input=m.a(input=x))))


def named_functions(m, x):
    y = functional.relu(input=m.a(x), inplace=False)
    y = functional.max_pool2d(input=y, kernel_size=2, stride=2)
    y = torch.add(input=m.b(y), other=m.d(y))
    y = functional.adaptive_avg_pool2d(input=torch.relu(input=y), output_size=1)
    return m.fc(torch.flatten(input=y, start_dim=1))


def numpys_names(m, x):
    y = m.relu(m.a(x))
    return m.fc(torch.mean(m.relu(m.b(y)), axis=(2, 3), keepdims=False))


def sizes_as_arguments(m, x):
    y = m.relu(m.a(x))
    images, channels, height, width = y.shape
    y = functional.avg_pool2d(y, y.size()[2:])
    return m.fc(y.view(images, channels * (height // 8) * (width // 8)))


def sizes_choose_branches(m, x):
    y = m.relu(m.a(x))
    if y.shape[1] == 4 and y.dim() == 4 and len(y.shape) == 4:
        y = m.relu(m.b(y))
    return m.fc(functional.adaptive_avg_pool2d(y, (1, 1)).squeeze(3).squeeze(-1))


def all_sizes_squeezed(m, x):
    return m.fc(m.pool(m.relu(m.a(x))).squeeze())


def unused_calls(m, x):
    y = m.relu(m.a(x))
    _ = m.b(y), torch.sigmoid(y), y.sum(), y[:, :2]
    torch._assert(y.size(0) > 0, "no image")
    return m.head(y)


def dropout_function(m, x):
    y = functional.dropout(m.relu(m.a(x)), 0.3, m.training)
    return m.head(torch.dropout(y, 0.2, train=m.training))


def concat_named(m, x):
    y, z = m.relu(m.a(x)), None
    z = torch.cat(tensors=[y], dim=1)
    return m.head(z)


def sum_of_one_tensor_with_itself(m, x):
    y = m.b(m.relu(m.a(x)))
    y += y
    return m.head(y)


def products_with_numbers(m, x):
    y = m.relu(m.a(x))
    y.mul_(0.5)
    z = 3 * m.b(y) / 0.75
    z *= 1.5
    return m.head(m.c(m.relu(z.div(7))))


def linear_layers_in_a_row(m, x):
    flat = torch.flatten(m.pool(m.relu(m.a(x))), 1)
    return torch.relu(flat).add(flat)


TAKEN = [
    add_statement,
    relu_module_whose_input_is_read_again,
    relu_method_statement,
    relu_function_statement,
    sum_of_an_alias,
    sum_before_and_after,
    write_through_a_pass,
    write_through_contiguous,
    write_into_a_copy,
    write_through_a_flattened_map,
    write_through_a_squeezed_pixel,
    write_into_the_image,
    named_input,
    named_functions,
    numpys_names,
    sizes_as_arguments,
    sizes_choose_branches,
    all_sizes_squeezed,
    unused_calls,
    dropout_function,
    concat_named,
    sum_of_one_tensor_with_itself,
    products_with_numbers,
    linear_layers_in_a_row,
]


@pytest.mark.parametrize("forward", TAKEN, ids=[f.__name__ for f in TAKEN])
def test_every_spelling_computes_what_the_model_does(forward):
    check(forward)


def written(change):
    """A network in which ``change`` does something to a tensor that is read afterwards."""

    def forward(m, x):
        y = m.relu(m.a(x))
        z = m.b(y)
        change(z, y, m)
        return m.head(z)

    return forward


def set_part(z, y, m):
    z[:, 0] = 0


def swap(z, y, m):
    z.data = y


WRITES = {
    "mul_": lambda z, y, m: z.mul_(-0.5),
    "sub_": lambda z, y, m: z.sub_(y),
    "div_": lambda z, y, m: z.div_(y + 1),
    "imul": lambda z, y, m: operator.imul(z, y),
    "isub": lambda z, y, m: operator.isub(z, y),
    "itruediv": lambda z, y, m: operator.itruediv(z, -2),
    "clamp_": lambda z, y, m: z.clamp_(0, 6),
    "clamp_(min)": lambda z, y, m: torch.clamp_(z, min=0.1),
    "neg_": lambda z, y, m: z.neg_(),
    "zero_": lambda z, y, m: z.zero_(),
    "fill_": lambda z, y, m: z.fill_(0.5),
    "copy_": lambda z, y, m: z.copy_(y),
    "sigmoid_": lambda z, y, m: z.sigmoid_(),
    "add_ constant": lambda z, y, m: z.add_(1),
    "add_ alpha": lambda z, y, m: z.add_(y, alpha=2),
    "add out=": lambda z, y, m: torch.add(y, y, out=z),
    "relu out=": lambda z, y, m: torch.clamp(y, 0.1, out=z),
    "relu6": lambda z, y, m: functional.relu6(z, inplace=True),
    "hardtanh": lambda z, y, m: functional.hardtanh(z, inplace=True),
    "leaky_relu_": lambda z, y, m: functional.leaky_relu_(z),
    "threshold_": lambda z, y, m: functional.threshold_(z, 0.1, 0.2),
    "ReLU6 module": lambda z, y, m: nn.ReLU6(inplace=True)(z),
    "view": lambda z, y, m: z[:, :2].relu_(),
    "chunk": lambda z, y, m: z.chunk(2, 1)[0].add_(1),
    "transpose": lambda z, y, m: z.transpose(2, 3).relu_(),
    "narrow": lambda z, y, m: z.narrow(1, 0, 2).zero_(),
    "setitem": set_part,
    "slice +=": lambda z, y, m: operator.iadd(z[:, :2], y[:, :2]),
    "data": lambda z, y, m: z.data.mul_(2),
    "detach": lambda z, y, m: z.detach().mul_(2),
    "index_add_": lambda z, y, m: z.index_add_(1, torch.tensor([0]), y[:, :1]),
    "masked_fill_": lambda z, y, m: z.masked_fill_(z > 0.1, 0.0),
    "lerp_": lambda z, y, m: z.lerp_(y, 0.5),
    "addcmul_": lambda z, y, m: z.addcmul_(y, y),
    "buffer": lambda z, y, m: m.steps.copy_(z.mean((0, 2, 3))[:, None, None]),
    "parameter": lambda z, y, m: m.c.weight.add_(1),
}


@pytest.mark.parametrize("name", WRITES)
def test_no_write_is_dropped(name):
    """Refused, naming the call, or computed: never a network without it."""
    with pytest.raises(SephwError) as error:
        check(written(WRITES[name]))
    assert "\n" not in str(error.value) and ";" in str(error.value)


class Hooked(Parts):
    def __init__(self):
        super().__init__(add_statement)
        self.b.register_forward_hook(lambda module, inputs, output: output * 1.5)


class Counting(Parts):
    """Every second call computes something else."""

    def __init__(self):
        super().__init__(add_statement)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        y = self.relu(self.a(x))
        return self.head(self.b(y) if self.calls % 2 else y)


class WrittenState(Parts):
    def __init__(self):
        super().__init__(add_statement)

    def forward(self, x):
        self.steps += 0.5
        return self.head(self.a(x) + self.steps)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Hooked, "Conv2d 'b': computes something else here than in the given network"),
        (Counting, "Counting: gives two results for the same images; remove random numbers"),
        (WrittenState, "computes with a constant or a parameter"),
        (
            lambda: Parts(lambda m, x: m.head(functional.dropout(m.a(x), 0.5))),
            "drops in evaluation as well",
        ),
        (lambda: Parts(lambda m, x: m.head(m.a(x) + torch.rand(1))), "constant"),
        (lambda: Parts(lambda m, x: m.head(m.a(x)).view(1, -1)), "only flattening of each image"),
        (
            lambda: Parts(lambda m, x: m.head(m.b(m.relu(m.a(x))) if len(x) == 3 else m.a(x))),
            "computes something else than the calls that torch.fx sees in its forward",
        ),
    ],
)
def test_what_no_trace_holds_is_refused(make, text):
    with pytest.raises(SephwError) as error:
        binarize(make().eval(), input_shape=SHAPE, stage="R")
    assert text in str(error.value) and "\n" not in str(error.value)


def test_zeros_do_not_hide_a_difference(monkeypatch):
    """A residual branch whose last norm starts at zero, as trained ResNets begin: a call that is
    dropped in front of it changes no number, and is found all the same."""

    def forward(m, x):
        y = m.relu(m.a(x))
        z = m.b(y)
        z.add_(y)
        return m.head(m.norm(m.c(m.relu(z))) + y)

    model = Parts(forward).eval()
    nn.init.zeros_(model.norm.weight)
    network, _ = binarize(model, input_shape=SHAPE, stage="R")
    assert len([n for n in network.graph.nodes if n.target is torch.add]) == 2
    from sephw.nn.binarize import rewrite

    def without_the_sum(self, call):
        call.take("other"), call.take("alpha")
        return self._value(call, call.input)

    monkeypatch.setattr(rewrite.Rewriter, "_take_add", without_the_sum)
    with pytest.raises(SephwError, match=r"^add 'add_?': computes something else"):
        binarize(model, input_shape=SHAPE, stage="R")


def test_signatures_are_torchs():
    """Names, order and defaults of the calls that are read, against torch's own schemas."""
    names = {
        torch.relu: "relu",
        torch.relu_: "relu_",
        torch.mean: "mean.dim",
        torch.flatten: "flatten.using_ints",
        torch.reshape: "reshape",
        torch.squeeze: "squeeze.dim",
        torch.add: "add.Tensor",
        torch.cat: "cat",
        torch.max_pool2d: "max_pool2d",
        functional.avg_pool2d: "avg_pool2d",
        torch.dropout: "dropout",
        torch.clone: "clone",
    }
    for function, path in names.items():
        base, _, overload = path.partition(".")
        schema = getattr(getattr(torch.ops.aten, base), overload or "default")._schema
        want = [a.name.replace("self", "input") for a in schema.arguments]
        got = [n for n in FUNCTIONS[function].signature.parameters if n != "out"]
        assert got == want, path
    for function in (functional.relu, functional.dropout, functional.dropout2d):
        mine = FUNCTIONS[function].signature.parameters.values()
        theirs = inspect.signature(function).parameters.values()
        assert [(p.name, p.default) for p in mine] == [(p.name, p.default) for p in theirs]
