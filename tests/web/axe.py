"""What axe-core (https://github.com/dequelabs/axe-core) finds on a page: rules of every level and of best practice."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"

STILL = """() => Promise.all(document.getAnimations()
    .filter(one => one.effect?.getTiming().iterations !== Infinity).map(one => one.finished.catch(() => {})))"""


def violations(page: Page) -> list[str]:
    """One line for each element a rule objects to. The page has settled: nothing loads and nothing moves."""
    page.evaluate(STILL)
    page.evaluate(SOURCE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]} · {node['failureSummary'][:300]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
