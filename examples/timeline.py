"""Look at every step of a turn: what the agent thought, what it ran and with what effect, what it cost."""

import json
import os
from pathlib import Path

import httpx

place = json.loads((Path(os.environ.get("RETINUE_HOME", "~/.retinue")).expanduser() / "cli.json").read_text())
client = httpx.Client(
    base_url=place["url"], headers={"Authorization": f"Bearer {place['api_key']}", "Prefer": "wait=30"}, timeout=60
)

posted = client.post(
    f"/v1/channels/{place['channel_id']}/messages", json={"content": "@assistant what time is it in Tokyo?"}
).raise_for_status()
turn = client.get(f"/v1/interactions/{posted.json()['interactions'][0]['id']}").raise_for_status().json()

for step in turn["steps"]:
    print(step["seq"], step["kind"], step["tool"] or "-", step["effect"] or "-", step["state"])
print("configuration:", turn["config_hash"][:8])

# prints: 1 think - read success
# prints: 2 act current_time read success
# prints: 3 think - read success
# prints: 4 respond - - success
# prints: configuration: …
