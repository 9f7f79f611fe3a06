"""Send a message twice under one Idempotency-Key, as a client does that has lost its connection: it counts once."""

import json
import os
import uuid
from pathlib import Path

import httpx

place = json.loads((Path(os.environ.get("RETINUE_HOME", "~/.retinue")).expanduser() / "cli.json").read_text())
client = httpx.Client(base_url=place["url"], headers={"Authorization": f"Bearer {place['api_key']}"}, timeout=60)

key = str(uuid.uuid4())
path = f"/v1/channels/{place['channel_id']}/messages"
body = {"content": "@assistant say hello once"}
first, second = (client.post(path, json=body, headers={"Idempotency-Key": key}).raise_for_status() for _ in range(2))
print("same message:", first.json()["message"]["id"] == second.json()["message"]["id"])
print("same turns:", first.json()["interactions"] == second.json()["interactions"])

other = client.post(path, json={"content": "something else"}, headers={"Idempotency-Key": key})
print("same key, other body:", other.status_code, other.json()["code"])

# prints: same message: True
# prints: same turns: True
# prints: same key, other body: 409 idempotency_mismatch
