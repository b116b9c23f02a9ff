"""Commands in the sources and on the pages: made in one place, each followed by a test."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from sephw import cli

ROOT = Path(__file__).parents[2]
PACKAGES = ("sephw", "reports", "sim")
NAMES = "|".join(cli.COMMANDS)
LITERAL = re.compile(rf"\bsephw (?:{NAMES})\b")

# Where commands are made, and the test of test_printed_commands.py that follows what comes out.
MADE = {
    "reports/next_step.py:next_step": "test_next_steps_of_a_report",
    "reports/next_step.py:_synthesize": "test_next_steps_of_a_report",
    "reports/next_step.py:_explore": "test_next_steps_of_a_report",
    "sephw/invocation.py:_export": "test_an_export_prints_what_repeats_it",
    "sephw/explore/next_export.py:next_export": "test_a_device_without_a_board",
    "sephw/commands/explore.py:_goal": "test_errors_name_commands_that_run",
    "sephw/export/chip.py:_too_few_frames": "test_too_few_frames",
    "sephw/export/source.py:_with_all_refusals": "test_a_refused_file",
    "sephw/export/lower.py:_train_on": "test_errors_name_commands_that_run",
    "sephw/torch_file.py:read_archive": "test_errors_name_commands_that_run",
    "sephw/commands/synth.py:_text": "test_next_steps_of_a_report",
    "sephw/host/accelerator.py:_check_clock": "test_a_board_with_another_design",
    "sephw/host/accelerator.py:_check_design": "test_a_board_with_another_design",
    "sephw/run/design.py:_synthesis": "test_an_export_for_a_vendors_board",
    "sephw/train/settings.py:command": "test_a_cards_command",
}


def sources(word: str):
    """(path, tree) of every file of the program with ``word`` in it."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text("utf-8")
            if word in text:
                yield path, ast.parse(text)


def docstrings(tree: ast.AST):
    """Docstrings that nobody prints: all but those of commands, which --help shows."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        shown = isinstance(node, ast.FunctionDef) and any(
            "command" in ast.unparse(decorator) for decorator in node.decorator_list
        )
        first = node.body[0] if node.body else None
        if not shown and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value


def test_no_command_is_written_by_hand():
    found = []
    for path, tree in sources("sephw "):
        if path.name == "command_line.py":
            continue
        quiet = set(map(id, docstrings(tree)))
        found += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in quiet
            and LITERAL.search(node.value)
        ]
    for path in sorted((ROOT / "reports" / "templates").iterdir()):
        found += [f"{path.name}: {text}" for text in LITERAL.findall(path.read_text("utf-8"))]
    assert found == [], "use sephw.command_line"


def test_what_pip_is_asked_for_is_what_the_project_needs():
    """Packages by name; the project itself is in no index."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    known = {re.match(r"[\w.-]+", need)[0].lower() for group in groups for need in group}
    asked = set()
    for _, tree in sources("pip install"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for words in re.findall(r"pip install ([\w.=\[\] -]+)", node.value):
                    asked |= {word.partition("==")[0] for word in words.split()}
    assert asked >= {"hls4ml", "da4ml", "distributed"}
    assert asked <= known, asked - known


def documented():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            for line in re.findall(rf"^sephw (?:{NAMES}) .*$", block.replace("\\\n", ""), re.M):
                yield pytest.param(line, id=f"{page.name}: {line[:60]}")


@pytest.mark.parametrize("line", documented())
def test_commands_of_the_pages_have_options_that_exist(line):
    """Comments left away; [optional] and … parts are for the reader."""
    name, *words = shlex.split(re.sub(r"[\[\]…]", "", line), comments=True)[1:]
    command = cli.cli.get_command(None, name)
    # click keeps a command's help option from its first context: give it the program's.
    parent = click.Context(cli.cli, info_name="sephw", **cli.cli.context_settings)
    with command.make_context(name, [], parent=parent, resilient_parsing=True) as ctx:
        command.make_parser(ctx).parse_args(args=words)


def test_every_place_that_makes_a_command_is_followed():
    made = set()
    for path, tree in sources("command_line("):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Call) and ast.unparse(node.func) == "command_line"
                for node in ast.walk(function)
            ):
                made.add(f"{path.relative_to(ROOT).as_posix()}:{function.name}")
    assert made == set(MADE)
    tests = ast.parse((Path(__file__).parent / "test_printed_commands.py").read_text("utf-8"))
    names = {node.name for node in tests.body if isinstance(node, ast.FunctionDef)}
    assert set(MADE.values()) <= names
