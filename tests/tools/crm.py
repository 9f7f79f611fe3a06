"""An external tool as its developer would write it: crm-lookup (EXT-34). It knows Retinue by its contract alone."""

import json
import time
from typing import Any

from retinue.tools import signing
from tests.tools.conftest import Answer, Seen, http

COMPANIES = {"acme corp": {"name": "Acme Corp", "plan": "enterprise", "mrr": 4900}}


class CrmLookup:
    """Looks companies up; accepts each signed call once."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.done: dict[str, bytes] = {}

    def __call__(self, seen: Seen) -> Answer:
        try:
            call_id = signing.verify(self.secret, seen.headers, seen.body, time.time())
        except signing.InvalidSignature as error:
            return http(401, json.dumps({"detail": str(error)}).encode())
        if call_id not in self.done:
            self.done[call_id] = json.dumps(self._answer(json.loads(seen.body))).encode()
        return http(200, self.done[call_id])

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        company = COMPANIES.get(call["input"]["parameters"]["company"].lower())
        if company is None:
            return {"result": {"content": "There is no such company."}}
        words = f"{company['name']} is on the {company['plan']} plan."
        return {"result": {"content": words, "structured_data": company}}
