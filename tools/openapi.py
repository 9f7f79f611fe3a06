"""Write docs/openapi.json from the application, without a database: what the web app's client is generated from.

Run `python tools/openapi.py`, then `npm run api` in web/. tests/contracts/test_web_client.py compares both.
"""

import json
from pathlib import Path
from typing import Any, cast

from retinue.api import routes
from retinue.api.deps import AppState
from retinue.settings import Settings

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def document() -> str:
    """The OpenAPI document of this source tree, as the file holds it."""
    state = AppState(db=cast("Any", None), settings=Settings.model_construct())  # no route runs here
    schema = routes.create(state).openapi()
    schema["info"]["version"] = "0"  # a release changes nothing that a client reads
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
