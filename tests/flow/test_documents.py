"""Pages of the repository: links, names and paths lead somewhere; all are in the reading order."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    p
    for folder in (".", "docs", "models", "reports/published", "examples")
    for p in (ROOT / folder).glob("*.md")
)
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"#+ (.*)")
SNIPPET = re.compile(r"```python\n(.*?)```", re.DOTALL)
DOTTED = re.compile(r"\bsephw(?:\.[A-Za-z_]\w*)+")
IN_REPOSITORY = re.compile(
    r"(?<![\w/.-])(?:sephw|docs|tests|benchmarks|examples|formal|models)/[\w./-]*\w"
)
# Folders at the top of the repository that are packages of sephw, and installed as that alone.
INSIDE = {"reports", "sim", "hls", "rtl"}


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings get where Markdown is shown."""
    titles = [m[1] for line in page.read_text().splitlines() if (m := HEADING.match(line))]
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("https:", "http:")):
            continue
        file, _, fragment = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not fragment or fragment in anchors(target), link


def test_the_reading_order_names_every_page() -> None:
    order = ROOT / "docs" / "README.md"
    named = {link.partition("#")[0] for link in LINK.findall(order.read_text())}
    assert {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"} <= named
    listed = set(LINK.findall((ROOT / "reports" / "published" / "README.md").read_text()))
    assert {p.name for p in (ROOT / "reports" / "published").glob("*.md")} - {"README.md"} <= listed


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = [p.parent for p in (ROOT / "sephw").glob("*/__init__.py")]
    assert len(rooms) > 20
    assert [room.name for room in rooms if not names_room(text, room.name)] == []
    assert not names_room(text, "nowhere")


def names_room(text: str, name: str) -> bool:
    """Whether the table of rooms has a row for it; some folders stand at the repository's top."""
    return any(
        re.search(rf"`(sephw/)?{name}[/`]", row) is not None
        for row in text.splitlines()
        if row.startswith("| `")
    )


def resolve(dotted: str) -> object:
    """The module, or what stands in one; ImportError or AttributeError where there is none."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for name in parts[count:]:
            found = getattr(found, name)
        return found
    raise ImportError(dotted)


def imported(snippet: str) -> Iterator[str]:
    """The dotted names that a snippet imports."""
    for node in ast.walk(ast.parse(snippet)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("page", CURRENT, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_of_the_package_are_there(page: Path) -> None:
    text = page.read_text()
    names = {name for snippet in SNIPPET.findall(text) for name in imported(snippet)}
    assert not {name.split(".")[0] for name in names} & INSIDE, "import them from sephw"
    names = {name for name in names if name.split(".")[0] == "sephw"} | set(DOTTED.findall(text))
    for name in sorted(names):
        resolve(name)


@pytest.mark.parametrize("page", CURRENT, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_of_the_repository_are_there(page: Path) -> None:
    # A word of capitals stands for a name.
    paths = {
        path for path in IN_REPOSITORY.findall(page.read_text()) if not re.search("[A-Z]{4}", path)
    }
    missing = {path for path in paths if not (ROOT / path).exists()}
    assert not missing


def test_names_that_are_gone_are_found() -> None:
    with pytest.raises(AttributeError):
        resolve("sephw.export.lower.fold_graph")
    assert list(imported("from reports import as_dict")) == ["reports.as_dict"]
