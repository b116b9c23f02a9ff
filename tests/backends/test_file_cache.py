"""Files kept in the user's cache: whole, limited, and never a damaged one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sephw.tools.file_cache import FileCache, cache_key


def made(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "made"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_comes_back_with_its_mode(tmp_path):
    cache = FileCache(tmp_path / "cache")
    target = tmp_path / "target"
    assert not cache.fetch("a", target) and not target.exists()
    cache.keep("a", made(tmp_path, "#!/bin/sh\n", 0o755))
    assert cache.fetch("a", target)
    assert target.read_text() == "#!/bin/sh\n" and os.access(target, os.X_OK)
    assert not cache.fetch("b", target)


def test_a_damaged_file_is_no_hit(tmp_path):
    cache = FileCache(tmp_path / "cache")
    cache.keep("a", made(tmp_path, "whole"))
    (kept,) = cache.folder.iterdir()
    kept.write_text("hole")
    target = tmp_path / "target"
    assert not cache.fetch("a", target)
    assert not target.exists() and not list(cache.folder.iterdir())
    cache.keep("a", made(tmp_path, "whole"))
    assert cache.fetch("a", target) and target.read_text() == "whole"


def test_what_was_not_used_for_longest_goes(tmp_path):
    cache = FileCache(tmp_path / "cache", most_bytes=25)
    for second, key in enumerate("ab"):
        cache.keep(key, made(tmp_path, key * 10))
        (kept,) = cache.folder.glob(f"{key}-*")
        os.utime(kept, (second, second))
    # Used: now it is the younger one.
    assert cache.fetch("a", tmp_path / "target")
    cache.keep("c", made(tmp_path, "c" * 10))
    assert {path.name[0] for path in cache.folder.iterdir()} == {"a", "c"}


def test_a_folder_that_cannot_be_used_costs_time_only(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    cache = FileCache(tmp_path / "cache")
    cache.keep("a", made(tmp_path, "text"))
    assert not cache.fetch("a", tmp_path / "target")


def test_keys_tell_boundaries_apart():
    assert cache_key(["ab", "c"]) != cache_key(["a", "bc"]) != cache_key(["abc"])
    assert cache_key([b"a"]) == cache_key(["a"])


def test_a_program_is_built_again_where_something_differs(tmp_path, monkeypatch):
    from sephw.tools import verilator

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "top.sv").write_text("module top; initial $finish; endmodule\n")
    main = '#include "Vtop.h"\nint main() { Vtop top; top.eval(); return %d; }\n'
    # One file of the project, one from elsewhere.
    bench = tmp_path / "main.cpp"
    bench.write_text(main % 3)

    def build(number: int, trace: bool = False) -> bytes:
        program = verilator.build(
            ["top.sv", str(bench)],
            "top",
            project,
            tmp_path / str(number),
            purpose="test",
            trace=trace,
        )
        return program.read_bytes()

    first = build(0)
    calls = []
    original = verilator._call
    monkeypatch.setattr(verilator, "_call", lambda *a: (calls.append(a), original(*a))[1])
    assert build(1) == first and not calls
    bench.write_text(main % 4)
    assert build(2) != first and len(calls) == 1
    # What was kept is of these options only.
    monkeypatch.setattr(verilator, "run", lambda *a, **k: pytest.fail("built"))
    monkeypatch.setattr(verilator, "_call", lambda *a: calls.append(a))
    with pytest.raises(pytest.fail.Exception, match="built"):
        build(3, trace=True)
    assert len(calls) == 2


def test_headers_are_compiled_once(tmp_path, monkeypatch):
    from sephw.tools import verilator

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "top.sv").write_text("module top; initial $finish; endmodule\n")
    for number in range(2):
        main = f'#include "Vtop.h"\nint main() {{ Vtop top; top.eval(); return {number}; }}\n'
        (project / "main.cpp").write_text(main)
        verilator.build(["top.sv", "main.cpp"], "top", project, tmp_path / "out", purpose="test")
        (header,) = (tmp_path / "cache").rglob("sephw_runtime.h")
        # Were it read again, the next build would end here.
        header.write_text("#error headers are not precompiled\n")
    # What is compiled in parts has Verilator's own headers, and no others.
    monkeypatch.setattr(verilator, "_WHOLE_BYTES", 0)
    options = ["--output-split", "1", "--output-split-cfuncs", "1"]
    files = [*options, "top.sv", "main.cpp"]
    program = verilator.build(files, "top", project, tmp_path / "parts", purpose="test")
    assert program.is_file() and list((tmp_path / "parts").glob("Vtop__pch.h.*.gch"))


def test_headers_are_not_kept_where_a_makefile_would_misread_the_path(tmp_path):
    from sephw.tools.verilator import Runtime

    assert Runtime(tmp_path / "a cache").headers() == ()
    assert Runtime(tmp_path / "cache").headers() == (
        "-include",
        str(tmp_path / "cache" / "sephw_runtime.h"),
    )
