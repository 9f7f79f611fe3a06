"""Follow a reply while it is written, lose the connection on purpose, go on where it was cut: nothing is missing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx

place = json.loads((Path(os.environ.get("RETINUE_HOME", "~/.retinue")).expanduser() / "cli.json").read_text())
client = httpx.Client(base_url=place["url"], headers={"Authorization": f"Bearer {place['api_key']}"}, timeout=60)


def events(interaction: str, after: str = "") -> Iterator[tuple[str, str, dict]]:
    """(id, event, data) of a turn, from the event after this one on."""
    headers = {"Last-Event-ID": after} if after else {}
    with client.stream("GET", f"/v1/interactions/{interaction}/stream", headers=headers) as stream:
        seen = {"id": "", "event": ""}
        for line in stream.raise_for_status().iter_lines():
            name, _, value = line.partition(": ")
            if name == "data":
                yield seen["id"], seen["event"], json.loads(value)
            elif name in seen:
                seen[name] = value


posted = client.post(f"/v1/channels/{place['channel_id']}/messages", json={"content": "@assistant what time is it?"})
interaction = posted.raise_for_status().json()["interactions"][0]["id"]

kinds: list[str] = []
last = ""
for number, (id, event, _) in enumerate(events(interaction)):
    kinds.append(event)
    last = id or last
    if number == 1:
        break  # as if the network had failed

kinds += [event for _, event, _ in events(interaction, after=last)]
print("followed", "to the end" if kinds[-1] == "done" else "not to the end")
print("state:", client.get(f"/v1/interactions/{interaction}").json()["state"])

# prints: followed to the end
# prints: state: succeeded
