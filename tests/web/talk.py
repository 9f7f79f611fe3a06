"""Saying something on the open page of a channel, and seeing what is said there."""

import re

from playwright.sync_api import Page, expect


def write(page: Page, text: str) -> None:
    """Say something in the open channel, by keyboard."""
    box = page.locator("[data-composer]").first
    box.fill(text)
    box.press("Enter")


def reply(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("feed").get_by_text(text)).to_be_visible()
