"""Every command that an output, a report or an error prints is run, from where it is printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import export_folder
import foreign_networks
import onnx
import pytest
from follow_commands import commands_in, follow

from sephw import cli
from sephw.backends.rtl.project import FILE_LIST
from sephw.command_line import command_line, command_name, in_folder
from sephw.export.chip import _too_few_frames
from sephw.export.settings import ExportSettings
from sephw.host import DESCRIPTION, Accelerator, WrongDesignError, read_description
from sephw.host.messages import Reply
from sephw.invocation import (
    Invocation,
    Place,
    TypedOption,
    called_from,
    in_own_folder,
    seen_from_here,
)
from sephw.reports.model import Report
from sephw.reports.next_step import next_step, not_run
from sephw.targets import find_target

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch, smallest_model) -> Path:
    """A folder that a person stands in, with a model in models/, a space in its name."""
    folder = tmp_path / "my work"
    (folder / "models").mkdir(parents=True)
    shutil.copyfile(smallest_model, folder / "models" / "small net.pth")
    monkeypatch.chdir(folder)
    return folder


OPTIONS = ["--target", "ulx3s-25f", "--fps", "2000", "--clock-mhz", "50", "--samples", "1"]


def exported(*more: str) -> None:
    arguments = ["export", "models/small net.pth", *OPTIONS, "--data", "random"]
    assert cli.run([*arguments, "--steps", "qonnx,report", *more]) == 0


def check_repeated(settings: ExportSettings, home: Path, *steps: str) -> None:
    """The settings are those of `exported`, with ``steps`` as well."""
    assert settings.model == home / "models" / "small net.pth"
    assert (settings.fps, settings.clock_mhz, settings.samples) == (2000.0, 50.0, 1)
    assert (settings.target.name, settings.data) == ("ulx3s-25f", "random")
    assert set(settings.steps) >= {"qonnx", "report", *steps}


@pytest.mark.parametrize("out", [(), ("--out", "made here/net")])
def test_an_export_prints_what_repeats_it(home, monkeypatch, capsys, out):
    exported(*out)
    folder = home / (out[1] if out else "build/small_net")
    (command,) = commands_in(capsys.readouterr().out)
    (settings,) = follow(command, home, monkeypatch)
    check_repeated(settings, home, "verify")
    assert settings.out == folder
    # The report lies in the export's folder and speaks of commands there.
    plain = json.loads((folder / "report.json").read_text())
    steps = {
        "cycle simulation": "cyclesim",
        "verification": "verify",
        "synthesis": "synth",
        "place-and-route": "synth",
    }
    assert [part["what"] for part in plain["not_run"]] == list(steps)
    for part in plain["not_run"]:
        (settings,) = follow(part["command"], folder, monkeypatch)
        check_repeated(settings, home, steps[part["what"]])
        assert settings.out == folder
    for name in ("report.txt", "report.html"):
        assert "cd ../.. &amp;&amp; " in (folder / name).read_text().replace(" && ", " &amp;&amp; ")
    # A report that is printed elsewhere has commands for there.
    (home / "other").mkdir()
    for place in (home, home / "other", folder, folder / "rtl", home.parent):
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        called = os.path.relpath(folder, place)
        capsys.readouterr()
        assert cli.run(["report", called]) == 0
        found = commands_in(capsys.readouterr().out)
        assert len(found) == 1 + len(steps)
        for command in found:
            (settings,) = follow(command, place, monkeypatch)
            check_repeated(settings, home)
            assert settings.out == folder


def test_nothing_is_said_of_folders_that_nobody_typed(home, tmp_path, capsys, monkeypatch):
    out = tmp_path / "elsewhere" / "net"
    exported("--out", str(out))
    (command,) = commands_in(capsys.readouterr().out)
    (settings,) = follow(command, home, monkeypatch)
    check_repeated(settings, home)
    assert settings.out == out
    # The export itself cannot say where its model is: words, no command that does not run.
    text = (out / "manifest.json").read_text() + (out / "report.json").read_text()
    assert str(tmp_path) not in text and "models/" not in text
    plain = json.loads((out / "report.json").read_text())
    how = [(part["command"], part["how"]) for part in plain["not_run"]]
    assert how[1] == ("", "export the model again with --steps qonnx,report,verify")
    assert commands_in((out / "report.txt").read_text()) == []


def test_an_export_that_was_moved_says_it_in_words(home, capsys):
    exported()
    (home / "far" / "away").mkdir(parents=True)
    shutil.move(home / "build" / "small_net", home / "far" / "away" / "net")
    capsys.readouterr()
    assert cli.run(["report", "far/away/net"]) == 0
    printed = capsys.readouterr().out
    assert commands_in(printed) == []
    assert "export the model again with --steps qonnx,report,verify" in printed


def test_a_searched_folding_is_exported(home, monkeypatch, capsys):
    exported()
    capsys.readouterr()
    for model, name in (("models/small net.pth", "a.json"), ("build/small_net", "b c.json")):
        words = ["explore", model, "--target", "icebreaker", "--fps", "50", "--out", name]
        assert cli.run([*words, "--margin-lut", "0.7"]) == 0
        (command,) = commands_in(capsys.readouterr().out)
        (settings,) = follow(command, home, monkeypatch)
        assert settings.model == home / "models" / "small net.pth"
        assert settings.folding == home / name
        # A folding decides; a rate to search for would be refused.
        assert (settings.target.name, settings.fps) == ("icebreaker", None)
        assert settings.out == home / "build" / "small_net"
    assert (settings.samples, settings.data) == (1, "random")


def test_a_device_without_a_board(home, monkeypatch, capsys):
    words = ["explore", "models/small net.pth", "--device", "ecp5-45f", "--out", "f.json"]
    assert cli.run([*words, "--clock-mhz", "40"]) == 0
    (command,) = commands_in(capsys.readouterr().out)
    export, synth = command.split(" && ")
    (settings,) = follow(export, home, monkeypatch)
    assert settings.folding == home / "f.json" and settings.clock_mhz is None
    # What the export would leave is there now.
    fake_export(settings.out)
    assert follow(synth, home, monkeypatch) == ["synth"]
    assert synth == "sephw synth build/small_net --device ecp5-45f"


@cache
def small():
    """A small graph, and its cycles.json."""
    graph = export_folder.small_graph()
    return graph, export_folder.cycles(graph)


def fake_export(folder: Path, target: str = "ulx3s-85f", **more) -> None:
    """An export with the files that commands ask for."""
    graph, cycles = small()
    manifest = export_folder.manifest(target)
    export_folder.write_export(folder, graph, manifest=manifest, cycles=cycles, **more)
    (folder / "verify.json").write_text(
        json.dumps(export_folder.verification(graph).as_dict()), "utf-8"
    )
    (folder / "rtl").mkdir()
    (folder / "rtl" / FILE_LIST).write_text("")


def report_of(folder: Path) -> Report:
    from sephw.reports import read_export

    return read_export(folder)


def test_next_steps_of_a_report(tmp_path, monkeypatch, capsys):
    """Every branch of what to do next, from the export's folder and from two others."""
    graph, _ = small()
    record = export_folder.synthesis(graph)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "small.pth").write_bytes(b"never read here")
    cases = {
        "fresh": (None, "sephw synth"),
        "unrouted": ({**record, "routed": None}, "sephw synth"),
        "routed": (record, "sephw program"),
        "no board": ({**record, "target": None}, "sephw synth"),
        "slow": (
            {**record, "routed": {**record["routed"], "constraint_mhz": {"clk": 70.0}}},
            "sephw explore",
        ),
        "too large": (
            {
                **record,
                "device": "ecp5-25f",
                "routed": None,
                "synthesized": {
                    **record["synthesized"],
                    "total": {"lut": 10**6, "ff": 1, "bram": 1, "dsp": 1},
                },
            },
            "sephw explore",
        ),
        "vendor": ({**record, "device": "xc7z020", "target": None, "routed": None}, "./build.sh"),
    }
    for name, (synthesis, program) in cases.items():
        folder = tmp_path / "build" / name
        target = "pynq-z2" if name == "vendor" else "ulx3s-85f"
        fake_export(folder, target, synth=synthesis)
        shutil.copyfile(ROOT / "tests" / "flow" / "conftest.py", folder / "model.onnx")
        (folder / "synth").mkdir(exist_ok=True)
        (folder / "synth" / "bitstream.bit").write_bytes(b"bits")
        (folder / "amd").mkdir()
        script = folder / "amd" / "build.sh"
        shutil.copy(ROOT / "sephw" / "backends" / "amd" / "scripts" / "build.sh", script)
        script.chmod(0o755)
        _describe(folder)
        report = report_of(folder)
        origin = report.provenance.invocation
        monkeypatch.setattr("sephw.commands.explore._graph", lambda *_: graph)
        for here, place in (
            (folder, in_own_folder(origin)),
            (tmp_path, seen_from_here(Path("build") / name, origin)),
            (tmp_path / "build", Place(folder, tmp_path, origin)),
        ):
            step = next_step(report, place)
            assert program in step.command, (name, step)
            if "explore" in step.command:
                # It runs to its end and prints a command itself.
                capsys.readouterr()
                if "ecp5-25f" not in step.command:
                    follow(step.command, here, monkeypatch)
                    assert (tmp_path / "build" / "small_folding.json").is_file()
                    assert commands_in(capsys.readouterr().out)
                continue
            assert follow(step.command, here, monkeypatch)
            for part in not_run(report, place):
                if part.command.startswith("sephw synth") or "build.sh" in part.command:
                    follow(part.command, here, monkeypatch)


def _describe(folder: Path) -> None:
    description = {
        "format": "sephw-accelerator",
        "version": 2,
        "link": "uart",
        "name": "small",
        "target": "ulx3s-85f",
        "cable": "ulx3s",
        "build_id": "0" * 16,
        "image_shape": [4, 4, 3],
        "image_bits": 8,
        "output_shape": [1, 1, 4],
        "output_bits": 9,
        "output_signed": True,
        "clock_hz": 50_000_000,
        "uart_hz": 25_000_000,
        "baud": 1_000_000,
        "frame_limit_cycles": 1000,
    }
    (folder / "board").mkdir(exist_ok=True)
    (folder / "board" / "accelerator.json").write_text(json.dumps(description))


def test_a_board_with_another_design(tmp_path, monkeypatch):
    folder = tmp_path / "an export"
    fake_export(folder)
    _describe(folder)
    (folder / "synth").mkdir()
    (folder / "synth" / "bitstream.bit").write_bytes(b"bits")
    monkeypatch.chdir(tmp_path)
    board = Accelerator.__new__(Accelerator)
    board.description, board.port_name = read_description("an export"), "/dev/ttyX"
    for check in (
        lambda: board._check_design(Reply(1, 0, 0, 5, b"")),
        lambda: board._check_clock(1),
    ):
        with pytest.raises(WrongDesignError) as caught:
            check()
        command = re.search(r"load it with: (.*)$", str(caught.value))[1]
        assert follow(command, tmp_path, monkeypatch)[0].name == "bitstream.bit"


def test_too_few_frames(tmp_path, monkeypatch):
    fake_export(tmp_path / "small export")
    settings = ExportSettings(
        model=Path("m.pth"),
        out=Path("small export"),
        target=find_target("ulx3s-25f"),
        seeds=3,
        invocation=Invocation("m.pth", (TypedOption("--no-floorplan"),), "..", True),
    )

    class Routed:
        clock_mhz, routed = 20.0, None

    error = _too_few_frames(settings, Routed(), 1000, 50_000.0)
    (command,) = commands_in(str(error))
    assert command.endswith("--target ulx3s-25f --no-floorplan --seeds 6")
    assert follow(command, tmp_path, monkeypatch) == ["synth"]


def test_errors_name_commands_that_run(home, float_model, monkeypatch, capsys):
    shutil.copyfile(float_model, home / "float net.pth")
    assert cli.run(["export", "no such.pth"]) == 2
    assert cli.run(["export", "float net.pth"]) == 2
    assert cli.run(["explore", "float net.pth"]) == 2
    first, second, third = commands_in(capsys.readouterr().err)
    assert follow(first, home, monkeypatch) == ["train"]
    assert follow(second, home, monkeypatch) == ["train"]
    assert shlex.split(second)[-1] == "float net_bq.pth"
    assert third.startswith("sephw explore --help'")
    follow(third.split("'")[0], home, monkeypatch)


def test_a_refused_file(home, monkeypatch, capsys):
    """It ends in the command that lists all refusals, the printed one among them."""
    onnx.save(foreign_networks.jet_tagger(), home / "my jets.onnx")
    onnx.save(foreign_networks.speech(), home / "my words.onnx")
    for name, first, count in (("jets", "is (1, 5)", 4), ("words", "times 0.83", 4)):
        for command in (["export"], ["explore", "--target", "icebreaker"]):
            assert cli.run([*command, f"my {name}.onnx"]) == 2
            said = capsys.readouterr().err
            (printed,) = commands_in(said)
            assert printed == f"sephw check 'my {name}.onnx'"
            assert cli.run(shlex.split(printed)[1:]) == 2
            table = capsys.readouterr().out
            assert table.count("    why     ") == count and first in said and first in table
    # A file that has no nodes to judge is said in one line.
    onnx.save(foreign_networks.old_opset(), home / "old.onnx")
    assert cli.run(["export", "old.onnx"]) == 2
    assert commands_in(capsys.readouterr().err) == []


@pytest.mark.parametrize("command", ["run", "program"])
def test_an_export_without_a_board(home, monkeypatch, capsys, command):
    exported("--steps", "qonnx,rtl")
    capsys.readouterr()
    assert cli.run([command, "build/small_net"]) == 2
    (made,) = commands_in(capsys.readouterr().err)
    assert follow(made, home, monkeypatch) == ["synth"]


@pytest.mark.parametrize("command", ["run", "program"])
def test_an_export_for_a_vendors_board(home, monkeypatch, capsys, command):
    """amd/ has a description as well, of a design that another driver runs."""
    given = ["export", "models/small net.pth", "--data", "random", "--fold", "fast"]
    assert cli.run([*given, "--target", "pynq-z2", "--steps", "qonnx,rtl"]) == 0
    assert (home / "build" / "small_net" / "amd" / DESCRIPTION).is_file()
    capsys.readouterr()
    assert cli.run([command, "build/small_net"]) == 2
    (made,) = commands_in(capsys.readouterr().err)
    words = shlex.split(made)
    # Synthesis for the export's own board makes no design that these commands could use.
    assert find_target(words[words.index("--target") + 1]).open_board is not None
    assert follow(made, home, monkeypatch) == ["synth"]


def test_a_cards_command(tmp_path, monkeypatch):
    from sephw.train.settings import TrainingSettings as Training

    settings = Training(
        data="digits",
        network="SEPNet",
        epochs=(1, 0, 0),
        lr=(1e-3, 1e-3, 1e-3),
        arguments={"widths": [8], "modules": [0], "groups": 1},
    )
    # A card gives the checkpoint that was written.
    assert follow(f"{settings.command()} --out made.pth", tmp_path, monkeypatch) == ["train"]
    several = replace(settings, processes=2).command()
    assert several.startswith("torchrun --nproc-per-node 2 -m sephw.train --data digits ")


def test_words_are_quoted_for_a_shell(monkeypatch):
    line = command_line("export", ["-a b.pth"], [("--fps", 2500.0), ("--json", None)])
    assert line == "sephw export './-a b.pth' --fps 2500 --json"
    assert in_folder(Path("my folder"), line).startswith("cd 'my folder' && ")
    assert command_name("synth") == "sephw synth"
    monkeypatch.setattr("sys.argv", ["the board/driver.pyz", "run", "."])
    assert command_line("program", ["."]) == "python 'the board/driver.pyz' program ."


def test_what_was_typed_is_recorded_in_a_typed_form(home):
    exported()
    recorded = json.loads((home / "build/small_net/manifest.json").read_text())["invocation"]
    assert recorded == {
        "model": "models/small net.pth",
        "options": [
            {"option": "--data", "value": "random"},
            {"option": "--samples", "value": "1"},
            {"option": "--target", "value": "ulx3s-25f"},
            {"option": "--fps", "value": "2000"},
            {"option": "--clock-mhz", "value": "50"},
            {"option": "--steps", "value": "qonnx,report"},
        ],
        "called_from": "../..",
        "own_folder": False,
    }
    invocation = Invocation.from_dict(recorded)
    assert invocation.as_dict() == recorded
    assert invocation.with_steps("verify").given("--steps") == "qonnx,report,verify"
    usual = invocation.without(["--steps"]).with_steps("netlist")
    assert usual.given("--steps") == "+netlist"
    assert usual.with_steps("netlist").given("--steps") == "+netlist"


def test_every_kind_of_option_is_repeated(home, monkeypatch):
    (home / "my folding.json").write_text('{"frame_cycles": 4000}')
    (home / "pets" / "cat").mkdir(parents=True)
    typed = command_line(
        "export",
        ["models/small net.pth"],
        [
            ("--data", "digits"),
            ("--folding", "my folding.json"),
            ("--target", "ulx3s-25f"),
            ("--clock-mhz", 48.5),
            ("--seeds", 2),
            ("--no-floorplan", None),
            ("--weight-bandwidth", 64),
            ("--network", "SEPNet"),
            ("--arguments", '{"widths": [16, 32]}'),
            ("--trace", None),
            ("--json", None),
        ],
    )
    (settings,) = follow(typed, home, monkeypatch)
    place = Place(Path("build/small_net"), Path(), settings.invocation)
    again = place.repeat(settings.invocation)
    # What is printed leaves to the person how the result is shown.
    assert again == typed.removesuffix(" --json")
    (repeated,) = follow(again, home, monkeypatch)
    assert repeated == settings
    paths = {one.option for one in settings.invocation.options if one.is_path}
    assert paths == {"--folding"}
    # A path is as it is called where the command is to be run, or typed again after a `cd`.
    pets = settings.invocation.adding(TypedOption("--data", "pets", is_path=True))
    assert (
        Place(Path("../build/x"), Path(".."), pets)
        .repeat(pets)
        .endswith(" --data ../pets --out ../build/x")
    )
    inside = Place(Path(), Path("../.."), pets).repeat(pets)
    assert inside.startswith("cd ../.. && ") and inside.endswith(" --data pets")


@pytest.mark.parametrize(
    ("out", "folder"),
    [
        (None, "../.."),
        ("a", ".."),
        ("a/b/c", "../../.."),
        ("./a//b", "../.."),
        ("/tmp/a", None),
        ("../a", None),
        ("a/../b", ".."),
    ],
)
def test_only_folders_that_were_typed_are_named(out, folder):
    assert called_from(None if out is None else Path(out)) == folder
