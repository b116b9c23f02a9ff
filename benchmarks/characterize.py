"""The resource model: synthesize generated layers, fit the model to them, and say how good it is.

    python -m benchmarks.characterize [--layers N] [--technology T ...] [--kind K ...]
        [--minutes M] [--clocks N] [--networks MODEL ...] [--routed EXPORT_DIR ...]

Layers come from `benchmarks.characterize_layers`; each is synthesized as an engine of its own.
Points that are there already are kept, unless an engine's sources or the recipe have changed
since; an interrupted run loses nothing. With --clocks, so many engines of each routable
technology are placed and routed; with --networks, every engine of a shipped model at the default
folding is synthesized for the technologies; with --routed, the clocks of exports that were placed
and routed are noted. Then the model is fitted and measured. Writes
sephw/technologies/data, sephw/resources/data and reports/published/resource_model.md and .json.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks import characterize_clock, characterize_networks, characterize_routed
from benchmarks.characterize_data import TECHNOLOGIES, PointFile
from benchmarks.characterize_layers import LATER, layer
from benchmarks.characterize_report import make_model, publish
from sephw.errors import SephwError
from sephw.synth import synthesize_operator
from sephw.technologies import Technology


def wanted(layers: int, technologies: tuple[Technology, ...]) -> Iterator[tuple[Technology, int]]:
    """(technology, layer number); of the kinds that came later one layer for every ten."""
    for index in (*range(layers), *range(LATER, LATER + layers // 10)):
        for technology in technologies:
            yield technology, index


def kind_of(index: int) -> str:
    """The kind of a layer; of convolutions kind and family."""
    made = layer(index)
    kind = made.operator.kind
    return f"{kind}:{made.folding.engine.family}" if kind in ("conv8", "pattern_conv") else kind


def sweep(
    layers: int, technologies: tuple[Technology, ...], kinds: tuple[str, ...], minutes: float
) -> None:
    """Synthesize what is missing, of ``kinds`` (none: all), for at most ``minutes``."""
    files = {technology: PointFile.read(technology) for technology in technologies}
    began = time.monotonic()
    missing = [
        (technology, index)
        for technology, index in wanted(layers, technologies)
        if index not in files[technology].points and (not kinds or kind_of(index) in kinds)
    ]
    click.echo(f"{len(missing)} points to synthesize")
    for done, (technology, index) in enumerate(missing):
        elapsed = time.monotonic() - began
        if elapsed > 60 * minutes:
            break
        made = layer(index)
        try:
            with tempfile.TemporaryDirectory() as work:
                found = synthesize_operator(
                    made.operator,
                    made.folding,
                    technology,
                    fifo_depths=made.fifo_depths,
                    work=Path(work),
                    timeout_seconds=600,
                )
        except SephwError as error:
            # Left out now, tried again by the next run.
            click.echo(f"{technology} {index}: {error}")
            continue
        files[technology] = files[technology].with_point(made, found)
        files[technology].write()
        click.echo(
            f"{done + 1}/{len(missing)} {technology} {index} {made.operator.kind} {made.folding}: "
            f"LUT {found.lut} FF {found.ff} BRAM {found.bram} DSP {found.dsp}, {elapsed:.0f} s"
        )


def route_clocks(technologies: tuple[Technology, ...], wanted_engines: int) -> None:
    """Place and route engines until there are ``wanted_engines`` of each technology."""
    for technology in technologies:
        if technology not in characterize_clock.DEVICES:
            continue
        found = characterize_clock.read(technology)
        points = PointFile.load(technology).points
        for index, made in characterize_clock.candidates(points):
            if len(found) >= wanted_engines:
                break
            if str(index) in found:
                continue
            try:
                with tempfile.TemporaryDirectory() as work:
                    mhz = characterize_clock.route(made, technology, Path(work), 900)
            except SephwError as error:
                click.echo(f"{technology} {index}: {error}")
                continue
            found[str(index)] = {"mhz": mhz, "key": points[index]["key"]}
            characterize_clock.write(technology, found)
            click.echo(f"{technology} {index} {made.operator.kind} {made.folding}: {mhz} MHz")


def synthesize_networks(models: tuple[str, ...], technologies: tuple[Technology, ...]) -> None:
    """Synthesize all engines of shipped models."""
    found = characterize_networks.read()
    for model in models:
        for technology in technologies:
            rows = characterize_networks.synthesize_engines(model, technology, click.echo)
            found.setdefault(model, {})[technology.name] = rows
            characterize_networks.write(found)


@click.command()
@click.option("--layers", default=240, show_default=True, help="How many layers are generated.")
@click.option("--technology", "names", multiple=True, help="Only these; default: all.")
@click.option("--kind", "kinds", multiple=True, help="Only these: join, conv8:select, ...")
@click.option("--minutes", default=90.0, show_default=True, help="Stop synthesizing after these.")
@click.option("--clocks", default=0, help="Route engines until there are so many.")
@click.option("--networks", multiple=True, help="Shipped models to synthesize engine by engine.")
@click.option(
    "--routed",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Exports that were placed and routed.",
)
def main(
    layers: int,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    minutes: float,
    clocks: int,
    networks: tuple[str, ...],
    routed: tuple[Path, ...],
) -> None:
    technologies = tuple(t for t in TECHNOLOGIES if not names or t.name in names)
    sweep(layers, technologies, kinds, minutes)
    route_clocks(technologies, clocks)
    synthesize_networks(networks, technologies)
    for folder in routed:
        click.echo(" ".join(map(str, characterize_routed.add(folder))))
    publish(make_model())


if __name__ == "__main__":
    main()
