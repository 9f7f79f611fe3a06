"""The scripted server itself, as a test of agents uses it: in the process and as a process of its own."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from retinue.testing.scripts import Call, Fault, Match, Script, Step, Tokens
from tests.llm.conftest import Config, ask

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
pytestmark = pytest.mark.timeout(60)
every_dialect = pytest.mark.parametrize("dialect", ["openai", "anthropic"])


async def post(server: ScriptedModels, dialect: str, text: str = "Hello", **fields: Any) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    async with httpx.AsyncClient(base_url=server.base_url) as client:
        return await client.post(PATHS[dialect], json=body)


def said(dialect: str, response: httpx.Response) -> str:
    body = response.json()
    return body["choices"][0]["message"]["content"] if dialect == "openai" else body["content"][0]["text"]


@every_dialect
async def test_a_reply_without_streaming_has_text_calls_thinking_and_usage(dialect: str) -> None:
    step = Step(
        text="One.",
        thinking="Hm.",
        calls=(Call(tool="t", arguments={"a": 1}, id="c1"),),
        tokens=Tokens(input=9, output=4),
    )
    async with ScriptedModels(scripts.of(step)) as server:
        body = (await post(server, dialect)).json()

    shown = json.dumps(body)
    assert all(word in shown for word in ("One.", "Hm.", "c1"))
    assert body["usage"].get("prompt_tokens", body["usage"].get("input_tokens")) == 9


@every_dialect
async def test_steps_answer_in_order_and_each_as_often_as_it_says(dialect: str) -> None:
    script = scripts.of("first", Step(text="twice", times=2), default="always")
    async with ScriptedModels(script) as server:
        answers = [said(dialect, await post(server, dialect)) for _ in range(5)]

    assert answers == ["first", "twice", "twice", "always", "always"]


@every_dialect
async def test_a_step_answers_only_what_fits_it(dialect: str) -> None:
    script = scripts.of(
        Step(match=Match(contains="WEATHER"), text="by words", times=None),
        Step(match=Match(model="big-*"), text="by model", times=None),
        Step(match=Match(dialect="openai", system="brief"), text="by system", times=None),
        Step(when=lambda request: len(request.last) > 40, text="by condition", times=None),
    )
    async with ScriptedModels(script) as server:
        assert said(dialect, await post(server, dialect, "The weather?")) == "by words"
        assert said(dialect, await post(server, dialect, model="big-one")) == "by model"
        assert said(dialect, await post(server, dialect, "x" * 50)) == "by condition"
        refused = await post(server, dialect, "Anything else")

    assert refused.status_code == 400
    assert "no answer" in refused.text
    assert [request.last for request in server.unmatched] == ["Anything else"]


async def test_a_step_can_wait_for_a_tools_result() -> None:
    script = scripts.of(
        Step(match=Match(after_result=True), text="sunny"), Step(match=Match(tool="weather"), text="wait")
    )
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    result = [{"role": "user", "content": "?"}, {"role": "tool", "tool_call_id": "1", "content": '"sun"'}]
    async with ScriptedModels(script) as server:
        assert said("openai", await post(server, "openai", tools=tools)) == "wait"
        assert said("openai", await post(server, "openai", messages=result)) == "sunny"

    assert (server.requests[1].last, server.requests[1].after_result) == ('"sun"', True)


@every_dialect
@pytest.mark.parametrize(
    ("fault", "status"),
    [("rate_limit", {429}), ("server_error", {500}), ("overloaded", {503, 529}), ("context_too_long", {400}),
     ("bad_key", {401}), ("unknown_model", {404}), ("quota", {400, 429}), ("bad_request", {400})],
)  # fmt: skip
async def test_failures_have_the_providers_own_shape(dialect: str, fault: Any, status: set[int]) -> None:
    async with ScriptedModels(scripts.of(Step(fault=Fault(kind=fault, retry_after=2.5)))) as server:
        response = await post(server, dialect)

    assert response.status_code in status
    assert response.headers["retry-after"] == "2.5"
    assert response.json()["error"]["message"]
    assert response.json().get("type") == ("error" if dialect == "anthropic" else None)


@every_dialect
@pytest.mark.parametrize("stream", [True, False])
async def test_a_cut_closes_the_connection_in_the_middle(dialect: str, stream: bool) -> None:
    async with ScriptedModels(scripts.of(Step(text="never finished", fault=Fault(kind="cut", after=1)))) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(server, dialect, stream=stream)
        assert (await post(server, dialect)).status_code == 400  # it still serves


@every_dialect
async def test_a_held_reply_goes_on_when_it_is_released(dialect: str) -> None:
    step = Step(text="before and after", piece=6, hold="middle", hold_after=1)
    async with ScriptedModels(scripts.of(step)) as server:
        made = Config().models(server.env())
        heard: list[str] = []

        async def keep(delta: Any) -> None:
            heard.append(delta.text)

        async with asyncio.TaskGroup() as group:
            answer = group.create_task(made.stream(ask({"openai": "gpt-4o"}.get(dialect, "claude-sonnet-4-6")), keep))
            await server.reached("middle")
            assert len(heard) <= 1
            server.release("middle")
        await made.close()

    assert answer.result().text == "before and after"


async def test_waiting_for_a_hold_that_nothing_reaches_ends() -> None:
    async with ScriptedModels(scripts.of("x")) as server:
        with pytest.raises(TimeoutError, match="nowhere"):
            await server.reached("nowhere", timeout_seconds=0.05)


async def test_it_lists_its_models_and_knows_no_other_path() -> None:
    script = scripts.of(Step(match=Match(model="big"), text="x"))
    async with ScriptedModels(script) as server, httpx.AsyncClient(base_url=server.base_url) as client:
        listed = (await client.get("/v1/models")).json()
        missing = await client.get("/v2/else")

    assert [model["id"] for model in listed["data"]] == ["big", "scripted"]
    assert missing.status_code == 404


async def test_many_requests_at_once_are_each_answered_once() -> None:
    async with ScriptedModels(scripts.of(*(f"answer {n}" for n in range(40)))) as server:
        answers = await asyncio.gather(*(post(server, "openai") for _ in range(40)))

    assert {said("openai", answer) for answer in answers} == {f"answer {n}" for n in range(40)}
    assert [request.number for request in server.requests] == list(range(1, 41))


def test_a_script_is_read_from_yaml_and_from_json(tmp_path: Path) -> None:
    text = """
    steps:
      - {match: {contains: weather}, calls: [{tool: get_weather, arguments: {city: Berlin}}]}
      - fault: {kind: rate_limit, retry_after: 2}
      - Only words
    default: {text: the end, times: null}
    """
    (tmp_path / "a.yaml").write_text(text)
    script = scripts.load(tmp_path / "a.yaml")
    (tmp_path / "a.json").write_text(script.model_dump_json())

    assert script.steps[0].calls == (Call(tool="get_weather", arguments={"city": "Berlin"}),)
    assert script.steps[2].text == "Only words"
    assert scripts.load(tmp_path / "a.json") == script
    (tmp_path / "empty.yaml").write_text("")
    assert scripts.load(tmp_path / "empty.yaml") == Script()


@pytest.mark.parametrize("wrong", ["steps: [{txet: x}]", "steps: [{fault: {kind: fire}}]", "steps: [{piece: 0}]"])
def test_a_mistake_in_a_script_is_named(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "wrong.yaml").write_text(wrong)

    with pytest.raises(ValidationError, match="steps"):
        scripts.load(tmp_path / "wrong.yaml")


async def test_a_port_in_use_is_said() -> None:
    async with ScriptedModels(scripts.of("x")) as server:
        with pytest.raises(OSError, match="in use"):
            ScriptedModels(scripts.of("y"), port=int(server.base_url.rpartition(":")[2])).start()


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("steps: [{text: from outside, hold: gate}]\ndefault: later")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "retinue.testing", "--script", str(tmp_path / "s.yaml"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        lines = [(await process.stdout.readline()).decode().strip() for _ in range(4)]
    env = dict(line.split("=", 1) for line in lines)
    made = Config().models(env)

    async with httpx.AsyncClient(base_url=env["ANTHROPIC_BASE_URL"]) as control, asyncio.TaskGroup() as group:
        answer = group.create_task(made.stream(ask("claude-sonnet-4-6")))
        async with asyncio.timeout(30):
            while (await control.get("/scripted/held")).json() != ["gate"]:
                pass
        await control.post("/scripted/release/gate")
    async with httpx.AsyncClient(base_url=env["ANTHROPIC_BASE_URL"]) as control:
        recorded = (await control.get("/scripted/requests")).json()
    await made.close()
    process.terminate()

    assert answer.result().text == "from outside"
    assert [request["last"] for request in recorded] == ["Hello"]
    assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_the_scripts_of_the_documentation_are_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "testing-agents.md").read_text("utf-8")
    (tmp_path / "doc.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])

    script = scripts.load(tmp_path / "doc.yaml")

    assert len(script.steps) == 3
    assert script.default is not None
    for name in Step.model_fields:
        assert f"`{name}`" in page or name == "pieces"
