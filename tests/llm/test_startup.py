"""What the factory costs before anything is asked of it: in a fresh process, because imports are per process."""

import asyncio
import json
import subprocess
import sys
import textwrap

import pytest

from retinue.testing import scripts
from retinue.testing.models import ScriptedModels
from tests.llm.conftest import Config, ask

HEAVY = ["pydantic_ai", "anthropic", "openai", "google.genai", "mistralai", "genai_prices"]


def loaded_after(code: str) -> list[str]:
    """Which of the heavy packages a fresh process has loaded after running ``code``."""
    script = f"{textwrap.dedent(code)}\nimport json, sys\nprint(json.dumps([n for n in {HEAVY} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


BUILD = """
import asyncio
from retinue.llm.models import Models
from retinue.settings import Settings
keys = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "OLLAMA_HOST": "127.0.0.1:1"}
models = Models(Settings(), env=keys)
models.resolve("gpt-4o"), models.status()
"""


def test_no_client_is_imported_before_a_model_of_its_kind_is_built() -> None:
    assert loaded_after(BUILD) == []
    assert loaded_after(f"{BUILD}\nasyncio.run(models.warm('gpt-4o'))") == ["pydantic_ai", "openai", "genai_prices"]
    assert "openai" not in loaded_after(f"{BUILD}\nasyncio.run(models.warm('claude-sonnet-4-6'))")


@pytest.mark.timeout(60)
async def test_many_first_requests_build_one_client_and_share_its_connections() -> None:
    async with ScriptedModels(scripts.of(default="x")) as server:
        made = Config().models(server.env())
        replies = await asyncio.gather(*(made.stream(ask("gpt-4o")) for _ in range(20)))
        built = dict(made._built)  # pyright: ignore[reportPrivateUsage]
        await made.stream(ask("gpt-4o-mini"))
        clients = {id(model.client._client) for model in made._built.values()}  # pyright: ignore[reportPrivateUsage]
        await made.close()

    assert {reply.text for reply in replies} == {"x"}
    assert list(built) == ["openai/gpt-4o"]
    assert len(clients) == 1


@pytest.mark.timeout(60)
async def test_the_number_of_models_kept_is_bounded() -> None:
    made = Config().models({"OPENAI_API_KEY": "k"})
    for number in range(70):
        await made.warm(f"openai/model-{number}")

    assert len(made._built) == 64  # pyright: ignore[reportPrivateUsage]
    await made.close()
