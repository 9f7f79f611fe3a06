"""The CLI's HTTP client: JSON in and out, lists page by page, event streams that survive a restart of the server.

The one place outside egress and llm that speaks HTTP; it only ever speaks to Retinue itself.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from retinue import errors

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
SILENCE_SECONDS = 40.0
"""A stream that sends not even a keep-alive for this long is taken for dead."""
RETRY_SECONDS = 0.5
GONE = (httpx.TransportError,)


class NotRunning(errors.Unavailable):
    """Retinue does not answer."""

    code = "not_running"


class Refused(errors.RetinueError):
    """The server refused this."""

    code = "refused"
    audience: ClassVar[str] = "caller"

    def __init__(self, problem: dict[str, Any], status: int) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or status), code=problem.get("code"))
        self.http_status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    kind: str
    data: dict[str, Any]


LOST = Event("lost", {})
"""Not from the server: the connection is gone and is being made again."""
BACK = Event("back", {})


class Api:
    """The API at one address, as one caller."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        headers = {"user-agent": "retinue-cli"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False)
        self._key = key

    def twin(self) -> "Api":
        """The same with connections of its own, for a signal handler: the other may be in the middle of something."""
        return Api(self.url, self._key)

    def close(self) -> None:
        """Close the connections; a command that ends leaves that to the process."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at ``path``. Raises ``NotRunning``, ``Refused``."""
        return self._call("GET", path, params=_given(params))

    def text(self, path: str, **params: Any) -> str:
        """What ``path`` answers, as it is. Raises ``NotRunning``, ``Refused``."""
        with self._explained():
            response = self._http.get(path, params=_given(params))
        if response.is_error:
            raise self._refused(response)
        return response.text

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """The JSON answer to a POST."""
        return self._call("POST", path, json=body if body is not None else {}, headers=headers)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to a PUT."""
        return self._call("PUT", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """The JSON answer to a PATCH."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """Remove what is at ``path``."""
        self._call("DELETE", path)

    def each(self, path: str, *, most: int | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page, at most ``most``."""
        wanted = _given(params)
        wanted["limit"] = min(most or 200, 200)
        count = 0
        while True:
            page = self._call("GET", path, params=wanted)
            for entry in page["data"]:
                yield entry
                count += 1
                if most is not None and count >= most:
                    return
            if not page.get("next"):
                return
            wanted["after"] = page["next"]

    def download(self, path: str, file: Path, **params: Any) -> int:
        """What ``path`` streams, into a file that is there whole or not at all; returns how many bytes."""
        draft = file.with_name(f".{file.name}.part")
        try:
            with self._explained(), self._http.stream("GET", path, params=_given(params)) as response:
                if response.is_error:
                    response.read()
                    raise self._refused(response)
                with draft.open("wb") as out:
                    for piece in response.iter_bytes():
                        out.write(piece)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
        return file.stat().st_size

    def _call(self, method: str, path: str, **options: Any) -> Any:
        with self._explained():
            response = self._http.request(method, path, **options)
        if response.is_error:
            raise self._refused(response)
        return response.json() if response.content else None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError as error:
            raise NotRunning(
                f"Nothing answers at {self.url}. Start it: make run (or: retinue serve). "
                "Is it somewhere else? Set --url or RETINUE_URL."
            ) from error
        except httpx.InvalidURL as error:
            raise errors.BadInput(f"{self.url} is not an address: {error}") from error
        except httpx.TimeoutException as error:
            raise NotRunning(f"{self.url} does not answer in time. Look at it with: retinue doctor") from error
        except httpx.TransportError as error:
            raise NotRunning(f"The connection to {self.url} broke: {error}") from error

    def _refused(self, response: httpx.Response) -> errors.RetinueError:
        try:
            problem: dict[str, Any] = response.json()
        except ValueError:
            problem = {"detail": f"{self.url} answered {response.status_code}, and not like Retinue."}
        if response.status_code == 401:
            words = "The API key is not valid (any more)." if self._key else "There is no API key."
            return errors.NotSignedIn(f"{words} Run: retinue init --new-key, or set --api-key or RETINUE_API_KEY.")
        fields = "; ".join(f"{e['path']}: {e['reason']}" for e in problem.get("errors", []) if isinstance(e, dict))
        if fields:  # the detail names the first of them, too
            problem["detail"] = f"{str(problem.get('detail', '')).partition(' First: ')[0]} {fields}"
        return Refused(problem, response.status_code)

    # ── streams ─────────────────────────────────────────────────────────────────────────────────────────────

    def follow(self, path: str, *, patience: float = 300.0) -> Iterator[Event]:
        """The events at ``path`` until ``done``. A connection that breaks is made again where it broke off, for as
        long as ``patience``; ``LOST`` and ``BACK`` tell of it. Raises ``NotRunning`` when it stays away."""
        last: str | None = None
        lost_at: float | None = None
        while True:
            try:
                for id, event in self._events(path, last):
                    if lost_at is not None:
                        lost_at = None
                        yield BACK
                    last = id or last
                    yield event
                    if event.kind == "done":
                        return
            except (NotRunning, Refused) as error:
                if isinstance(error, Refused) and error.http_status not in (502, 503, 504):
                    raise
                if lost_at is not None and time.monotonic() - lost_at > patience:
                    raise
            if lost_at is None:
                lost_at = time.monotonic()
                yield LOST
            time.sleep(RETRY_SECONDS)

    def _events(self, path: str, last: str | None) -> Iterator[tuple[str | None, Event]]:
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=5.0)
        with self._explained(), self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
            if response.is_error:
                response.read()
                raise self._refused(response)
            yield from parse(response.iter_lines())


def parse(lines: Iterator[str]) -> Iterator[tuple[str | None, Event]]:
    """Server-sent events from lines: (id, event). Comments and events without data are left out."""
    id: str | None = None
    kind, data = "message", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                yield id, Event(kind, json.loads("\n".join(data)))
            id, kind, data = None, "message", list[str]()
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            id = value


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
