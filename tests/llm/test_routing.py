"""Which provider answers which model id, found from settings and environment alone."""

import pytest

from retinue import errors
from retinue.domain import agents
from retinue.llm import providers
from retinue.llm.models import Models
from retinue.settings import OpenAICompatible, Settings, provider_env
from retinue.testing import scripts
from retinue.testing.models import KEY, ScriptedModels
from tests.llm.conftest import Config, ask

EVERY_KEY = {
    name: "k"
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GOOGLE_API_KEY", "MISTRAL_API_KEY", "OPENROUTER_API_KEY")
} | {"GLOO_API_KEY": "k"}
ANTHROPIC = {"ANTHROPIC_API_KEY": "k"}


@pytest.mark.requirement("LLM-03", "LLM-04", "LLM-05", "LLM-08")
@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("anthropic/claude-sonnet-4-6", "anthropic/claude-sonnet-4-6"),
        ("claude-opus-4-1", "anthropic/claude-opus-4-1"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("gpt-4o-mini", "openai/gpt-4o-mini"),
        ("o3-mini", "openai/o3-mini"),
        ("google/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("mistral/mistral-large-latest", "mistral/mistral-large-latest"),
        ("gloo/gloo-openai-gpt-4.1", "gloo/gloo-openai-gpt-4.1"),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5"),
        ("offline/anything", "offline/retinue"),
    ],
)
def test_the_prefix_of_an_id_names_its_provider(asked: str, canonical: str) -> None:
    made = Config().models(EVERY_KEY)

    assert made.resolve(asked) == canonical
    assert made.resolve(canonical) == canonical


@pytest.mark.requirement("LLM-05")
@pytest.mark.parametrize("asked", ["llama3", "nobody/model", "/x", "ollama-3", "open ai/gpt"])
def test_an_id_that_matches_nothing_is_an_error_that_says_what_to_do(asked: str) -> None:
    with pytest.raises(errors.UnknownModel) as caught:
        Config().models(ANTHROPIC).resolve(asked)

    assert "anthropic/" in caught.value.detail
    assert "RETINUE_OPENAI_COMPATIBLE" in caught.value.detail


@pytest.mark.requirement("LLM-05", "LLM-13")
@pytest.mark.parametrize(
    ("asked", "variable"),
    [
        ("gpt-4o", "OPENAI_API_KEY"),
        ("gemini-2", "GEMINI_API_KEY"),
        ("gloo/x", "GLOO_CLIENT_ID"),
        ("ollama/x", "Ollama"),
    ],
)
def test_a_provider_without_its_key_is_an_error_that_names_the_variable(asked: str, variable: str) -> None:
    with pytest.raises(errors.UnknownModel, match=variable):
        Config().models(ANTHROPIC).resolve(asked)


def test_a_provider_without_a_model_is_an_error() -> None:
    with pytest.raises(errors.UnknownModel, match="names a provider but no model"):
        Config().models(ANTHROPIC).resolve("anthropic/")


@pytest.mark.requirement("LLM-06", "LLM-07", "LLM-14")
def test_the_agents_model_comes_before_the_accounts_before_the_installations_before_the_shipped() -> None:
    chosen = Config(default_model="anthropic/installation").models(ANTHROPIC)

    assert chosen.resolve("anthropic/agent", "anthropic/account") == "anthropic/agent"
    assert chosen.resolve(None, "anthropic/account") == "anthropic/account"
    assert chosen.resolve(None, None) == "anthropic/installation"
    assert Config().models(ANTHROPIC).resolve() == agents.DEFAULT_MODEL == "anthropic/claude-sonnet-4-5-20250929"


@pytest.mark.parametrize(
    ("env", "default"),
    [
        ({"OPENAI_API_KEY": "k"}, "openai/gpt-4o"),
        ({"MISTRAL_API_KEY": "k", "GEMINI_API_KEY": "k"}, "google/gemini-2.5-flash"),
        ({"LLM_PROXY_BASE_URL": "http://127.0.0.1:1/v1"}, agents.DEFAULT_MODEL),
    ],
)
def test_with_only_another_provider_nobodys_choice_falls_on_it(env: dict[str, str], default: str) -> None:
    assert Config().models(env).resolve() == default


@pytest.mark.requirement("LLM-12")
def test_with_no_provider_at_all_every_id_is_the_offline_model() -> None:
    made = Config().models({})

    assert made.offline
    assert {made.resolve(model) for model in (None, "claude-x", "gpt-4o", "nobody/model")} == {"offline/retinue"}
    assert not Config().models(ANTHROPIC).offline


@pytest.mark.requirement("LLM-02", "LLM-05")
async def test_the_proxy_takes_every_model_before_any_prefix() -> None:
    script = scripts.of(default=scripts.Step(text="By proxy."))
    async with ScriptedModels(script) as proxy:
        made = Config().models({**EVERY_KEY, "LLM_PROXY_BASE_URL": f"{proxy.base_url}/v1", "LLM_PROXY_API_KEY": "pk"})
        for model in ("anthropic/claude-sonnet-4-6", "gpt-4o", "unheard/of"):
            reply = await made.stream(ask(model))
            assert (reply.model, reply.provider) == (model, "proxy")
            assert (proxy.requests[-1].model, proxy.requests[-1].dialect) == (model, "openai")
            assert proxy.requests[-1].key == "pk"
            assert (reply.cost_micro is None) == (model == "unheard/of")
        assert (await made.stream(ask("offline/x"))).provider == "offline"
        await made.close()


@pytest.mark.requirement("LLM-04", "LLM-08")
@pytest.mark.parametrize(
    ("model", "sent", "env"),
    [
        ("gloo/gloo-openai-gpt-4.1", "gloo-openai-gpt-4.1", {"GLOO_API_KEY": KEY, "GLOO_BASE_URL": "{url}/v1"}),
        ("openrouter/meta/llama-4", "meta/llama-4", {"OPENROUTER_API_KEY": KEY, "OPENROUTER_BASE_URL": "{url}/v1"}),
        ("ollama/llama3", "llama3", {"OLLAMA_HOST": "{url}", "OLLAMA_API_KEY": KEY}),
        ("house/small", "small", {"HOUSE_KEY": KEY}),
    ],
)
async def test_services_that_speak_openais_api_are_reached_at_their_address(
    model: str, sent: str, env: dict[str, str]
) -> None:
    async with ScriptedModels(scripts.of(default="Here.")) as server:
        env = {name: value.format(url=server.base_url) for name, value in env.items()}
        house = OpenAICompatible(base_url=f"{server.base_url}/v1", api_key_env="HOUSE_KEY")
        made = Config(openai_compatible={"house": house}).models(env)
        reply = await made.stream(ask(model))
        await made.close()

    assert (reply.text, reply.model) == ("Here.", model)
    assert (server.requests[0].model, server.requests[0].key) == (sent, KEY)


@pytest.mark.requirement("LLM-04")
async def test_gloo_tokens_are_fetched_with_the_client_and_kept() -> None:
    async with ScriptedModels(scripts.of(default="Peace.")) as server:
        made = Config().models(
            {
                "GLOO_CLIENT_ID": "id",
                "GLOO_CLIENT_SECRET": "secret",
                "GLOO_TOKEN_URL": f"{server.base_url}/oauth2/token",
                "GLOO_BASE_URL": f"{server.base_url}/v1",
            }
        )
        await made.stream(ask("gloo/x"))
        await made.close()
        assert server.requests[0].key == "scripted-token"

        lost = Config().models(
            {
                "GLOO_CLIENT_ID": "id",
                "GLOO_CLIENT_SECRET": "secret",
                "GLOO_TOKEN_URL": f"{server.base_url}/nowhere",
                "GLOO_BASE_URL": f"{server.base_url}/v1",
            }
        )
        with pytest.raises(errors.ModelTransient, match="no access token"):
            await lost.stream(ask("gloo/x"))
        await lost.close()


def test_gloo_has_its_real_address_unless_another_is_set() -> None:
    directory = providers.Directory({"GLOO_API_KEY": "k"}, {}, None)

    assert directory.route("gloo/x").connection.base_url == "https://platform.ai.gloo.com/ai/v2"


async def test_an_ollama_on_its_port_is_found_with_its_first_model() -> None:
    script = scripts.of(scripts.Step(match=scripts.Match(model="llama3"), text="Moo."))
    async with ScriptedModels(script) as server:
        made = Config().models({"OLLAMA_HOST": server.base_url.removeprefix("http://")})
        assert not made.offline
        assert made.resolve() == "ollama/llama3"
        reply = await made.stream(ask(made.resolve()))
        assert (reply.text, reply.cost_micro) == ("Moo.", 0)
        await made.close()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("box:8080", "http://box:8080"),
        ("https://box.example.org/", "https://box.example.org:11434"),
    ],
)
def test_ollama_host_is_read_in_every_form_ollama_takes(host: str | None, url: str) -> None:
    assert providers.ollama_url(host) == url


@pytest.mark.parametrize("model", ["google/gemini-2.5-flash", "mistral/mistral-large-latest"])
async def test_clients_of_google_and_mistral_are_built_and_their_failures_explained(model: str) -> None:
    nowhere = "http://127.0.0.1:1"
    made = Config().models(
        {"GOOGLE_API_KEY": "k", "MISTRAL_API_KEY": "k", "GOOGLE_GEMINI_BASE_URL": nowhere, "MISTRAL_BASE_URL": nowhere}
    )

    with pytest.raises(errors.ModelTransient, match="connection"):
        await made.stream(ask(model))
    await made.close()


@pytest.mark.requirement("LLM-13")
def test_status_says_how_each_provider_is_found_or_what_to_set_and_shows_no_key() -> None:
    status = {entry.provider: entry for entry in Config().models({"OPENAI_API_KEY": "very-secret"}).status()}

    assert status["openai"].configured
    assert status["openai"].how == "OPENAI_API_KEY is set."
    assert not status["anthropic"].configured
    assert status["anthropic"].how == "Set ANTHROPIC_API_KEY."
    assert not status["offline"].configured
    assert "very-secret" not in str(status)


@pytest.mark.requirement("LLM-13")
def test_the_factory_reads_the_processs_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in providers.names({}):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    monkeypatch.setenv("LLM_PROXY_BASE_URL", " ")

    made = Models(Settings())

    assert made.resolve() == "mistral/mistral-large-latest"
    assert "very" not in repr(providers.Connection(providers.BUILT_IN[0], key="very-secret"))


def test_a_proxy_is_the_first_thing_the_status_tells() -> None:
    first = Config().models({"LLM_PROXY_BASE_URL": "http://127.0.0.1:1/v1"}).status()[0]

    assert (first.provider, first.configured) == ("proxy", True)


def test_the_offline_status_says_how_to_connect_a_real_model() -> None:
    status = {entry.provider: entry for entry in Config().models({}).status()}

    assert status["offline"].configured
    assert "ANTHROPIC_API_KEY" in status["offline"].how


async def test_a_check_makes_a_real_request_and_tells_the_real_error() -> None:
    steps = scripts.of("ready", scripts.Step(fault=scripts.Fault(kind="bad_key")))
    async with ScriptedModels(steps) as server:
        made = Config().models(server.env())
        good, bad, unknown = [await made.check(model) for model in ("gpt-4o", "gpt-4o", "nobody/x")]
        await made.close()

    assert good.ok
    assert (bad.ok, bad.detail) == (False, "The OpenAI key was refused (401). Check OPENAI_API_KEY.")
    assert not unknown.ok
    assert "nobody/x" in unknown.detail
    assert (await Config().models({}).check()).ok


def test_settings_read_other_services_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "RETINUE_OPENAI_COMPATIBLE", '{"house": {"base_url": "http://h/v1", "api_key_env": "HOUSE_KEY"}}'
    )
    monkeypatch.setenv("HOUSE_KEY", "k")
    settings = Settings()

    names = providers.names(settings.openai_compatible)

    assert settings.openai_compatible["house"].base_url == "http://h/v1"
    assert provider_env(names)["HOUSE_KEY"] == "k"
    assert "PATH" not in provider_env(names)
