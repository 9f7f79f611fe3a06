"""Sites: real processes on this test's own database, with a scripted provider and an outside that outlive them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from retinue.db.pool import Database
from retinue.store import accounts
from tests.crash import outside
from tests.crash.site import TOOLS, Site


def install(folder: Path) -> None:
    """Make the test's tools an installed package, found by its entry point as any other."""
    info = folder / "crash_tools-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crash-tools\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[retinue.tools]\ncrash = crash_tools\n")


@pytest.fixture
async def site(database_url: str, db: Database, tmp_path: Path) -> AsyncIterator[Site]:
    """A seeded account whose Assistant has the test's tools; no node runs yet."""
    install(tmp_path)
    async with outside.outside() as world:
        made = Site(url=database_url, db=db, world=await accounts.bootstrap(db), folder=tmp_path, outside=world)
        await made.give(*TOOLS)
        try:
            yield made
        finally:
            made.close()
            if made.models:
                made.models.stop()
