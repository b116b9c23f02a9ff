"""Pages of the repository: links lead somewhere, and the reading order names every page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    p
    for folder in (".", "docs", "models", "reports/published", "examples")
    for p in (ROOT / folder).glob("*.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"#+ (.*)")


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
