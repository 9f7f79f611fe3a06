"""A real OpenID provider on a port of this machine: discovery, JWKS with rotation, code flow with PKCE, and any token
that a test wants to see refused. The user is whoever ``person`` says; the tests drive the browser's part themselves."""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, CLIENT_SECRET = "retinue-test", "client secret: with/odd+characters"
Claims = dict[str, Any]


class Provider:
    """The state of the running provider. ``person`` are the claims it vouches for; ``key`` signs."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys: list[RSAKey] = []
        self.rotate("first")
        self.person: Claims = {"sub": "subject-1", "email": "owner@home.test", "email_verified": True}
        self.codes: dict[str, dict[str, str]] = {}
        self.override: Claims = {}
        self.fetched_keys = 0
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.discovery)
        self.app.get("/jwks")(self.jwks)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)

    def rotate(self, kid: str, *, keep: bool = False) -> None:
        """Sign with a new key; withdraw the old ones unless ``keep``."""
        new = RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})
        self.keys = [new, *(self.keys if keep else [])]

    def mint(self, *, header: Claims | None = None, key: Any = None, **claims: Any) -> str:
        """A token for us with these claims changed; one that is None is left out."""
        now = int(time.time())
        base = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300} | self.person | claims
        body = {name: value for name, value in base.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.keys[0].kid} | (header or {}), body, key or self.keys[0])

    async def discovery(self) -> Claims:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        }  # fmt: skip

    async def jwks(self) -> Claims:
        self.fetched_keys += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    async def authorize(self, request: Request, redirect_uri: Annotated[str, Query()], state: Annotated[str, Query()],
                        ) -> RedirectResponse:  # fmt: skip
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(request.query_params)
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 303)

    async def token(self, request: Request, authorization: Annotated[str, Header()] = "") -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(b"retinue-test:client%20secret%3A%20with%2Fodd%2Bcharacters").decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or authorization != f"Basic {pair}"
            or (asked["code_challenge"], asked["code_challenge_method"]) != (challenge, "S256")
            or (asked["redirect_uri"], asked["client_id"]) != (form["redirect_uri"], CLIENT)
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims: Claims = {"nonce": asked["nonce"]} | self.override
        token = self.mint(**claims)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})


@asynccontextmanager
async def running() -> AsyncIterator[Provider]:
    """A provider that listens."""
    provider = Provider()
    server = uvicorn.Server(uvicorn.Config(provider.app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    async with asyncio.TaskGroup() as group, asyncio.timeout(60):
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        provider.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield provider
        server.should_exit = True
