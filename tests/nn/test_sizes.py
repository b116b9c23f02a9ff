"""`sephw sizes` against hand calculation and the paper's figures."""

import json

import pytest
from click.testing import CliRunner

from sephw import cli
from sephw.commands.sizes import sizes
from sephw.networks import make_network
from sephw.sizes import PAPER, network_size
from sephw.train.evaluate import model_bytes, parameter_counts


@pytest.mark.parametrize(
    ("name", "parameters", "patterns", "megabytes"),
    [
        ("SEPNet-1.3M", 1_326_504, 183_168, (5.31, 4.60, 1.17)),
        ("SEPNet-full", 1_658_280, 349_056, (6.63, 5.28, 1.35)),
    ],
)
def test_reconstructions(name, parameters, patterns, megabytes):
    size = network_size(name)
    assert (size.parameters, size.patterns) == (parameters, patterns)
    assert size.bytes_r == 4 * parameters
    assert size.bytes_b == patterns // 8 + 4 * (parameters - patterns)
    assert size.bytes_bq == patterns // 8 + parameters - patterns
    got = tuple(round(b / 1e6, 2) for b in (size.bytes_r, size.bytes_b, size.bytes_bq))
    assert got == megabytes


def test_bytes_agree_with_what_checkpoints_say():
    size = network_size("ResNet-20")
    counted = model_bytes(*parameter_counts(make_network("ResNet-20", {})))
    assert counted == {"R": size.bytes_r, "B": size.bytes_b, "BQ": size.bytes_bq}
    # one scale and one bias per pattern filter, one bias per other filter of the convolutions
    filters = 6 * (16 + 32 + 64)
    assert size.constants == 2 * filters + 16 + 32 + 64


def test_the_table_has_the_papers_rows():
    # a module on C channels folds 3.75·C constants, stem and transitions one per channel
    constants = int(3.75 * (64 + 128 + 3 * 256)) + 64 + 128 + 256 + 512
    result = CliRunner().invoke(sizes, ["SEPNet-1.3M"])
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[1].split() == [
        "SEPNet-1.3M",
        "1,326,504",
        "183,168",
        "5.31",
        "4.60",
        "1.17",
        "4.5",
        f"{constants:,}",
    ]
    assert lines[2].split() == ["paper:", "SEP-Net", "(small)", "1.3M", "5.2", "4.2", "1.3", "4.0"]
    assert lines[3].split() == ["paper:", "SqueezeNet", "1.2M", "4.8"]
    assert "reconstruction" in lines[-1]
    assert PAPER["SEP-Net (small)"].top1 == (65.8, 63.7, 63.5)


def test_json():
    result = CliRunner().invoke(sizes, ["SEPNet-CIFAR-S", "--json"])
    (entry,) = json.loads(result.output)
    assert entry["network"] == "SEPNet-CIFAR-S" and entry["bytes_r"] == 4 * entry["parameters"]


def test_unknown_network():
    from sephw.cli import run

    assert run(["sizes", "AlexNet"]) == 2


def test_a_wrong_name_is_said_before_anything_is_built(monkeypatch, capsys):
    monkeypatch.setattr("sephw.commands.sizes.network_size", lambda name: pytest.fail(name))
    assert cli.run(["sizes", "ResNet-20", "PRBNett"]) == 2
    assert "network 'PRBNett' is unknown; did you mean 'PRBNet'?" in capsys.readouterr().err
