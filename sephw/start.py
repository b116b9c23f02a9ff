"""The program's first lines: signals, before anything that takes time is imported."""

from __future__ import annotations

from sephw.lifetime.ending import end_on_signals


def main(arguments: list[str] | None = None) -> None:
    """Run `arguments` (default: the process's) as the program `sephw` and exit."""
    end_on_signals()
    from sephw.cli import main as run

    run(arguments)


if __name__ == "__main__":
    main()
