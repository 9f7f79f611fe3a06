"""Where the CLI works: the address, the key and the home folder, from flags, environment and ``cli.json``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retinue import errors

if TYPE_CHECKING:  # slow to import; the commands that need it import it themselves
    from typer import Context

    from retinue.cli.http import Api
    from retinue.settings import Settings

DEFAULT_HOME = Path("~/.retinue")
DEFAULT_URL = "http://127.0.0.1:8000"
FILE = "cli.json"


@dataclass(frozen=True, slots=True)
class Place:
    """What the global options say; empty values are looked up in ``cli.json``."""

    url: str | None
    api_key: str | None
    home: Path

    def saved(self) -> dict[str, Any]:
        """What ``serve`` and ``init`` wrote into ``cli.json``; empty when there is none."""
        path = self.home.expanduser() / FILE
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise errors.Misconfigured(f"{path} cannot be read: {error}. Delete it and run: retinue init") from error
        return found

    def api(self) -> "Api":
        """A client of the HTTP API."""
        from retinue.cli.http import Api

        saved = self.saved()
        return Api(self.url or saved.get("url") or DEFAULT_URL, self.api_key or saved.get("api_key"))

    def settings(self, **changes: Any) -> "Settings":
        """This process's settings with the given ones on top. Raises ``Misconfigured`` naming each wrong variable."""
        from pydantic import ValidationError

        from retinue import settings

        try:
            found = settings.load()
        except ValidationError as error:
            wrong = [f"RETINUE_{str(entry['loc'][0]).upper()}: {entry['msg']}" for entry in error.errors()]
            raise errors.Misconfigured("; ".join(wrong)) from error
        given = {name: value for name, value in changes.items() if value is not None}
        return found.model_copy(update={"home": self.home.expanduser(), **given})


def api_of(ctx: "Context") -> "Api":
    """A client for this command, as the global options say."""
    place: Place = ctx.obj
    return place.api()
