"""The page at / where the web app is not built: how to build it, how to talk by CLI and API. Plain HTML, no script."""

from html import escape
from importlib import metadata

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from retinue.api import deps

router = APIRouter(include_in_schema=False)

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6b7b; --ground: #fbfaf8; --panel: #f1efea; --good: #2f7d5b;
        --warn: #9a6a12; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #9aa7b4; --ground: #15191e; --panel: #1e242b;
        --good: #6cc39a; --warn: #e0b060; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 2rem; font-weight: 600; letter-spacing: -0.02em; margin: 0 0 .25rem; }
h2 { font-size: 1rem; font-weight: 600; margin: 2.5rem 0 .5rem; }
p { margin: .5rem 0; } .soft { color: var(--soft); }
pre { background: var(--panel); border-radius: 8px; padding: .9rem 1.1rem; overflow-x: auto; font-size: 14px; }
.state { display: inline-block; border-left: 3px solid var(--good); padding-left: .75rem; margin-top: 1rem; }
.offline { border-color: var(--warn); }
a { color: inherit; }
"""


@router.get("/")
async def welcome(state: deps.App) -> HTMLResponse:
    """How to talk to this installation."""
    url = state.settings.public_url or f"http://{state.settings.host}:{state.settings.port}"
    return HTMLResponse(page(escape(url), *model_words(state)), headers={"content-security-policy": POLICY})


def model_words(state: deps.AppState) -> tuple[bool, str]:
    """Whether the offline model answers, and what people should know about models here."""
    if state.models is None:
        return True, "No model is set up in this process."
    offline = state.models.offline
    listed = [status for status in state.models.status() if status.configured and status.provider != "offline"]
    if offline:
        how = next((status.how for status in state.models.status() if status.provider == "offline"), "")
        return True, f"The offline model answers: it uses tools, but it is no language model. {how}"
    names = ", ".join(status.title for status in listed)
    return False, f"Connected: {names}. Default model: {state.models.resolve()}."


def page(url: str, offline: bool, words: str) -> str:
    """The whole page. ``url`` is escaped already."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Retinue</title>
<style>{STYLE}</style>
<main>
<h1>Retinue</h1>
<p class="soft">People and AI agents, side by side. Version {escape(metadata.version("retinue"))}.</p>
<p class="state{" offline" if offline else ""}">{escape(words)}</p>

<h2>The web app is not built here</h2>
<p>In a checkout, <code>make run</code> builds it and starts again. A released package brings it along.</p>

<h2>Talk in the terminal</h2>
<pre>retinue chat</pre>

<h2>Talk over HTTP</h2>
<p>Make a key once, then post a message to a channel. The answer carries the ids of the turns it started.</p>
<pre>retinue init --json

curl {url}/v1/channels/CHANNEL_ID/messages \\
  -H "Authorization: Bearer $RETINUE_API_KEY" \\
  -H "Content-Type: application/json" -H "Prefer: wait=30" \\
  -d '{{"content": "What time is it in Lisbon?"}}'</pre>

<h2>Look inside</h2>
<p><a href="/openapi.json">/openapi.json</a> describes every route,
<a href="/readyz">/readyz</a> says whether this node is ready, <a href="/metrics">/metrics</a> counts.
<code>retinue doctor</code> checks the installation.</p>
</main>
</html>
"""
