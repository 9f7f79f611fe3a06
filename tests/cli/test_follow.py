"""The CLI's HTTP client: streams that survive a lost server, lists over pages, errors in words."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from retinue import app, errors
from retinue.cli import http, root
from retinue.cli.http import Api, NotRunning, Refused

Script = list[tuple[int, bytes]]


class Answers(BaseHTTPRequestHandler):
    """Plays the script of its server: each request takes the next (status, body); 0 hangs up without an answer."""

    server: "Scripted"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Last-Event-ID")))
        status, body = self.server.script.pop(0)
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        kind = "text/event-stream" if body.startswith((b"id", b":", b"event")) else "application/json"
        self.send_header("content-type", kind)
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        return None


class Scripted(ThreadingHTTPServer):
    script: Script
    seen: list[tuple[str, str | None]]


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted(("127.0.0.1", 0), Answers)
    scripted.script, scripted.seen = [], []
    thread = threading.Thread(target=scripted.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    scripted.shutdown()
    thread.join()
    scripted.server_close()


@pytest.fixture
def api(server: Scripted) -> Iterator[Api]:
    client = Api(f"http://127.0.0.1:{server.server_address[1]}", "rtn_key")
    yield client
    client.close()


def event(kind: str, data: Any, id: str | None = None) -> bytes:
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RETRY_SECONDS", 0.01)


def test_a_stream_that_breaks_is_taken_up_after_the_last_event_seen(server: Scripted, api: Api) -> None:
    server.script = [
        (200, event("delta", {"text": "Hel"}, "1.1") + b": keep-alive\n\n"),
        (0, b""),
        (503, b'{"detail": "starting"}'),
        (200, event("delta", {"text": "lo"}, "1.2") + event("done", {"state": "succeeded"})),
    ]
    told = list(api.follow("/stream"))
    assert [one.kind for one in told] == ["delta", "lost", "back", "delta", "done"]
    assert "".join(one.data.get("text", "") for one in told) == "Hello"
    assert [last for _, last in server.seen] == [None, "1.1", "1.1", "1.1"]


def test_a_stream_is_given_up_when_the_server_stays_away(server: Scripted, api: Api) -> None:
    server.script = [(0, b"")] * 1000
    told: list[str] = []
    with pytest.raises(NotRunning):
        told.extend(one.kind for one in api.follow("/stream", patience=0.1))
    assert len(server.seen) > 1


def test_a_stream_that_may_not_be_read_is_not_asked_for_again(server: Scripted, api: Api) -> None:
    server.script = [(404, b'{"detail": "There is no such interaction.", "code": "not_found"}')]
    with pytest.raises(Refused, match="no such interaction"):
        list(api.follow("/stream"))


def test_a_list_is_read_page_by_page_to_its_end_or_to_the_limit(server: Scripted, api: Api) -> None:
    pages = [(200, b'{"data": [{"id": 1}, {"id": 2}], "next": "c"}'), (200, b'{"data": [{"id": 3}], "next": null}')]
    server.script = [*pages, pages[0]]
    assert [row["id"] for row in api.each("/things")] == [1, 2, 3]
    assert [row["id"] for row in api.each("/things", most=2)] == [1, 2]
    assert "after=c" in server.seen[1][0]


def test_invalid_fields_are_named(server: Scripted, api: Api) -> None:
    wrong = [{"path": "body.x", "reason": "no"}, {"path": "body.y", "reason": "nor this"}]
    problem = {"detail": "Correct the fields. First: body.x: no.", "code": "invalid_input", "errors": wrong}
    server.script = [(422, json.dumps(problem).encode())]
    with pytest.raises(Refused, match=r"^Correct the fields\. body\.x: no; body\.y: nor this$") as refused:
        api.post("/things")
    assert refused.value.reason_code == "invalid_input"


def test_an_answer_that_is_not_retinues_is_said(server: Scripted, api: Api) -> None:
    server.script = [(502, b"<html>bad gateway</html>")]
    with pytest.raises(Refused, match="not like Retinue"):
        api.get("/things")


def test_comments_and_several_data_lines_are_read_as_the_standard_says() -> None:
    lines = [": alive", "", "id: 1.2", "event: delta", 'data: {"a":', "data: 1}", "", "event: empty", ""]
    assert list(http.parse(iter(lines))) == [("1.2", http.Event("delta", {"a": 1}))]


@pytest.mark.parametrize(
    "error",
    [
        app.PortTaken(), errors.Misconfigured(), errors.UnknownModel(), errors.DatabaseDown(), errors.Draining(),
        errors.NotFound(), NotRunning(), errors.RetinueError(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_the_cli_and_the_node_end_with_the_same_code_for_one_error(error: errors.RetinueError) -> None:
    assert root.exit_code(error) == app.exit_code(error)
