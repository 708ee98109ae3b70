"""What axe-core says of a page: faults that keep people from using it."""

from pathlib import Path

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")


def serious_faults(page: Page) -> list[str]:
    """Return what is seriously wrong with the page as it is now, with where it is."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in _SERIOUS
        for node in fault["nodes"]
    ]
