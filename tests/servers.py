"""The environment of real processes of Retinue that work on a test's own database."""

import os
from pathlib import Path

import retinue
from tests.conftest import SECRET

SOURCE = Path(retinue.__file__).parents[1]
KEPT = ("PATH", "LANG", "VIRTUAL_ENV")


def environment(folder: Path, url: str) -> dict[str, str]:
    """Nothing of this process's own but how programs are found; ``folder`` is its home."""
    return {name: value for name, value in os.environ.items() if name in KEPT} | {
        "HOME": str(folder),
        "RETINUE_HOME": str(folder),
        "RETINUE_SECRET_KEY": SECRET,
        "RETINUE_DATABASE_URL": url,
        "RETINUE_DEFAULT_MODEL": "openai/gpt-4o-mini",
        "RETINUE_LOG_FORMAT": "json",
        "RETINUE_RETRY_BASE_SECONDS": "0.1",
        "PYTHONPATH": str(SOURCE),
    }
