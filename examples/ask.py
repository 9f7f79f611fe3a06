"""Ask an agent and wait for the reply. One request: the message is durable before it is answered."""

import json
import os
from pathlib import Path

import httpx

place = json.loads((Path(os.environ.get("RETINUE_HOME", "~/.retinue")).expanduser() / "cli.json").read_text())
client = httpx.Client(
    base_url=place["url"], headers={"Authorization": f"Bearer {place['api_key']}", "Prefer": "wait=30"}, timeout=60
)

answer = client.post(
    f"/v1/channels/{place['channel_id']}/messages", json={"content": "@assistant who is in this channel?"}
).raise_for_status()

for interaction in answer.json()["interactions"]:
    print("turn:", interaction["state"])
for reply in answer.json()["replies"]:
    print("reply:", reply["content"])

# prints: turn: …
# prints: reply: …
