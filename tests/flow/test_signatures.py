"""Signatures that a type checker and a reader can follow: few parameters, no hidden ones."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("sephw", "reports", "sim")
MOST_PARAMETERS = 8

_NETWORK = "its keywords are the arguments that a checkpoint stores and --set takes"
MORE_PARAMETERS = {
    "sephw/nn/googlenet.py:__init__": _NETWORK,
    "sephw/nn/inception.py:__init__": _NETWORK,
    "sephw/nn/prbnet.py:__init__": _NETWORK,
    "sephw/nn/resnet.py:__init__": _NETWORK,
    "sephw/nn/sepnet.py:__init__": _NETWORK,
    "sephw/nn/binarize/__init__.py:binarize": "a documented call: keywords only, all but one",
    "sephw/backends/rtl/simulation.py:run": "conditions of a test bench, all keywords but one",
    "sim/kernel.py:_advance_all": "numba compiles it: arrays and numbers, no objects",
}

_FX = "what torch.fx has recorded of a foreign network is called again"
# Parameters that take anything: whoever calls with a wrong one learns it when it runs.
UNTYPED_PARAMETERS = {
    "sephw/nn/binarize/trace.py:create_proxy": "torch.fx declares it so, and may add parameters",
    "sim/kernel.py:loop": "stands for a function that numba compiles, whose types are inferred",
    "sephw/backends/board/pins.py:_pin": "parts of a platform of amaranth-boards, which is untyped",
}

_MANY = "takes any number of them"
_TUPLE = "of a tuple whose length mypy knows and counts"
_CHECKED = "keys and types were compared with the declared ones before"
# Functions that are called with *values.
STARRED = {
    "Addend": _TUPLE,
    "AveragePool2d": _TUPLE,
    "NextStep": _TUPLE,
    "NotRun": _TUPLE,
    "PatternConv2d": _TUPLE,
    "PointwiseConv2d": _TUPLE,
    "PurePosixPath": _MANY,
    "QuantConv2d": _TUPLE,
    "Sequential": _MANY,
    "Tensor": _TUPLE,
    "__init__": "an exception's values",
    "_export": "names of steps: " + _MANY,
    "_part": _TUPLE,
    "_within": _TUPLE,
    "adding": "options: " + _MANY,
    "below": "names of folders: " + _MANY,
    "compute": "what a step of a chain reads: " + _MANY,
    "concat": "a module's inputs: " + _MANY,
    "format": "of str",
    "function": "a function of as many bits as the table has",
    "gcd": _MANY,
    "make_opsetid": _TUPLE,
    "map_memory": _TUPLE,
    "max": _MANY,
    "min": _MANY,
    "read_centre": _TUPLE,
    "read_random": _TUPLE,
    "reference": "an operator's inputs: " + _MANY,
    "reshape": "sizes: " + _MANY,
    "resized": _TUPLE,
    "submit": "typed by the function that is submitted, " + _TUPLE,
    "view": "sizes: " + _MANY,
    "with_steps": "names of steps: " + _MANY,
    "zeros": "sizes: " + _MANY,
    "zip": _MANY,
}
# Calls with **mapping.
DOUBLY_STARRED = {
    "sephw/files/values.py:kind": _CHECKED,
    "sephw/frontend/attributes.py:kind": _CHECKED,
    "sephw/networks.py:constructor": _CHECKED,
    "sephw/backends/board/clock_module.py:format": "fields of a template, by name",
    "sephw/explore/refusal.py:replace": "one field, by a name of RESOURCE_KINDS",
}
# Files that call functions of which nobody can know more.
ANY_CALL = {
    "sephw/nn/binarize/trace.py": _FX,
    "sephw/nn/binarize/words.py": _FX,
    "sim/kernel.py": "numba compiles what is called, and infers its types",
}


@cache
def modules():
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8")))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def functions():
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.name}", node


def parameters(function):
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [one.arg for one in given if one.arg not in ("self", "cls")]


def is_command(function):
    """Whether click calls it with what was typed."""
    texts = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(text.startswith("click.command") for text in texts)


def callee(call):
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ast.unparse(function)


def test_functions_have_few_parameters():
    found = {
        place: len(parameters(function))
        for place, function in functions()
        if len(parameters(function)) > MOST_PARAMETERS and not is_command(function)
    }
    assert found.keys() == MORE_PARAMETERS.keys(), "put what belongs together into one dataclass"


def test_commands_hand_their_options_over_as_one_value():
    """A command that has many options calls nothing with many of them but a dataclass."""
    seen = 0
    for place, function in functions():
        if not is_command(function):
            continue
        seen += 1
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            many = len(call.args) + len(call.keywords) > MOST_PARAMETERS
            assert not many or callee(call)[0].isupper(), f"{place}: {ast.unparse(call)[:60]}"
    assert seen >= 8


def hidden_parameters(function):
    """*parameters and **parameters that say nothing of their names and types."""
    several, named = function.args.vararg, function.args.kwarg
    if named is not None:
        yield f"**{named.arg}"
    if several is not None:
        kind = "" if several.annotation is None else ast.unparse(several.annotation)
        if kind in ("", "Any"):
            yield f"*{several.arg}"


def test_no_parameter_takes_anything():
    found = {place for place, function in functions() if list(hidden_parameters(function))}
    assert found == UNTYPED_PARAMETERS.keys(), "name the parameters, or take one typed value"


def starred_calls(name, tree):
    """(place of a call, the name that would allow it) for *values and **mappings."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if name in ANY_CALL:
            continue
        place = f"{name}:{call.lineno}: {ast.unparse(call)[:60]}"
        if any(isinstance(one, ast.Starred) for one in call.args) and callee(call) not in STARRED:
            yield f"{place}: *"
        named = f"{name}:{callee(call)}"
        if any(one.arg is None for one in call.keywords) and named not in DOUBLY_STARRED:
            yield f"{place}: **"


def test_calls_show_what_they_pass():
    """A mypy that cannot see the arguments cannot say that a function takes them no longer."""
    found = [text for name, tree in modules() for text in starred_calls(name, tree)]
    assert found == [], "pass typed values; files.build checks what a mapping holds"


@pytest.mark.parametrize(
    ("text", "hidden", "calls"),
    [
        ("def f(a, **same: Any): g(a, **same)", ["**same"], 1),
        ("def f(*arguments: Any): graph.run(*arguments)", ["*arguments"], 1),
        ("def f(*names: str): max(*names)", [], 0),
        ("def f(options): run(images, None, **options)", [], 1),
        ("def f(shape): x.reshape(-1, *shape)", [], 0),
    ],
)
def test_the_tests_find_what_they_are_for(text, hidden, calls):
    tree = ast.parse(text)
    assert list(hidden_parameters(tree.body[0])) == hidden
    assert len(list(starred_calls("sephw/any.py", tree))) == calls
