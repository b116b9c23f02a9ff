"""Stand-ins for every Vitis HLS command of the scripts, in the order that UG1399 wants them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from amd_tcl import Command, TclError


@dataclass
class VitisHls:
    """One run that would leave its results in ``folder``/hls_build. ``failing``: a command."""

    folder: Path
    failing: str = ""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    sources: list[Path] = field(default_factory=list)
    bench: list[Path] = field(default_factory=list)
    top: str = ""
    part: str = ""
    clock_ns: str = ""

    def commands(self) -> dict[str, Command]:
        """By name, each recording its call."""

        def recorded(name: str, command: Command) -> Command:
            def call(*words: str) -> str:
                self.calls.append((name, *words))
                try:
                    if name == self.failing:
                        raise TclError(f"{name} failed")
                    return command(*words) or ""
                except (AssertionError, ValueError, TypeError) as error:
                    raise TclError(f"{name} {' '.join(words)}: {error!r}") from error

            return call

        names = [name.removeprefix("tcl_") for name in dir(self) if name.startswith("tcl_")]
        return {name: recorded(name, getattr(self, f"tcl_{name}")) for name in names}

    def made(self, *names: str) -> bool:
        """Whether each of ``names`` has been called."""
        return set(names) <= {call[0] for call in self.calls}

    @property
    def solution(self) -> Path:
        return self.folder / "hls_build" / "solution1"

    def tcl_open_project(self, reset: str, name: str) -> None:
        assert (reset, name) == ("-reset", "hls_build")

    def tcl_set_top(self, name: str) -> None:
        assert self.made("open_project")
        self.top = name

    def tcl_add_files(self, *words: str) -> None:
        assert self.made("open_project")
        files = self.bench if words[0] == "-tb" else self.sources
        path, *flags = words[1:] if words[0] == "-tb" else words
        files.append(Path(path))
        # The standard is set for what is compiled; folders of data have no flags.
        assert flags == (["-cflags", "-std=c++14"] if Path(path).is_file() else [])
        assert Path(path).exists(), f"no file {path}"

    def tcl_open_solution(self, *words: str) -> None:
        assert words == ("-reset", "-flow_target", "vivado", "solution1")

    def tcl_set_part(self, part: str) -> None:
        assert self.made("open_solution")
        self.part = part

    def tcl_create_clock(self, option: str, period: str, dash: str, name: str) -> None:
        assert (option, dash, name) == ("-period", "-name", "default") and self.part
        self.clock_ns = period

    def tcl_set_clock_uncertainty(self, share: str, clock: str) -> None:
        assert share.endswith("%") and clock == "default" and self.clock_ns

    def tcl_config_compile(self, *words: str) -> None:
        assert dict(zip(words[::2], words[1::2], strict=True)) == {
            "-name_max_length": "80",
            "-pipeline_style": "flp",
        }

    def tcl_csim_design(self) -> None:
        assert self.made("create_clock") and self.bench

    def tcl_csynth_design(self) -> None:
        assert self.made("create_clock")
        assert f"{self.top}(" in "".join(source.read_text() for source in self.sources)
        report = self.solution / "syn" / "report" / "csynth.xml"
        report.parent.mkdir(parents=True)
        report.write_text("<profile/>")

    def tcl_export_design(self, *words: str) -> None:
        assert self.made("csynth_design")
        options = dict(zip(words[::2], words[1::2], strict=True))
        assert options == {
            "-format": "ip_catalog",
            "-vendor": "sephw",
            "-library": "hls",
            "-ipname": self.top,
            "-version": "1.0",
        }
        ip = self.solution / "impl" / "ip"
        ip.mkdir(parents=True)
        (ip / "component.xml").write_text("<component/>")
