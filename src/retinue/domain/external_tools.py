"""Tools that an account registers: a row that names an endpoint (TOOL-08, EXT-02..10). Never holds a secret itself."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import MISSING, AfterValidator, Field

from retinue.domain import addresses, aliases, schemas
from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.ids import ToolId
from retinue.domain.texts import Line, Object, Word, storable
from retinue.domain.tools import Collision, Effect, ToolKind, ToolSpec

HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
OWN_HEADERS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "idempotency-key",
        "x-thinklio-signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
)
CATEGORY = re.compile(r"[a-z][a-z0-9_]{0,62}")
MAX_PRICE_MICRO = 10_000_000_000
SHARED = frozenset({"tools"})
"""What a tool's ``config.share`` may ask to have sent along."""


class ToolAuth(Value):
    """How an endpoint knows us (EXT-27). The secret itself is stored apart and looked up by name."""

    type: Literal["none", "bearer", "hmac", "api_key"] = "none"
    secret_name: Word | None = None
    header: Word = "X-Api-Key"
    """For ``api_key``: the header that carries it."""
    signing_secret_name: Word | None = None
    """Signs every request (EXT-25); empty: the secret of ``secret_name`` does."""


class ToolRow(Value):
    """A tool registered in an account (TOOL-08). Never holds a secret, only a secret's name."""

    id: ToolId
    slug: str
    name: str
    description: str
    type: ToolKind = ToolKind.EXTERNAL
    parameters: dict[str, Any]
    returns: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    endpoint: str | None = None
    auth: ToolAuth = ToolAuth()
    effect: Effect
    trust: TrustLevel
    requires_approval: bool = False
    timeout_seconds: float = Field(default=30.0, ge=0.1, le=600)
    max_calls_per_interaction: int | None = Field(default=None, ge=1)
    enabled: bool = True
    created_at: datetime
    updated_at: datetime
    shadowed: bool = False
    """True when an internal tool has the same name and is used in its place (TOOL-15)."""

    @property
    def spec(self) -> ToolSpec:
        """The uniform format (TOOL-13)."""
        return ToolSpec(
            slug=self.slug,
            kind=self.type,
            name=self.name,
            description=self.description,
            parameters=self.parameters,
            returns=self.returns,
            effect=self.effect,
            trust=self.trust,
            requires_approval=self.requires_approval,
            timeout_seconds=self.timeout_seconds,
            max_calls_per_interaction=self.max_calls_per_interaction,
            categories=tuple(self.config.get("categories", ())),
            host=urlsplit(self.endpoint).hostname if self.endpoint else None,
            price_micro=self.config.get("price_micro", 0),
        )


class ToolView(Value):
    """A tool as people see it, whether of code or registered. What only admins may see is null for others."""

    id: ToolId | None = None
    """Null for a tool of code."""
    slug: str
    kind: ToolKind
    name: str
    description: str
    parameters: dict[str, Any]
    returns: dict[str, Any]
    effect: Effect
    trust: TrustLevel
    requires_approval: bool
    timeout_seconds: float
    max_calls_per_interaction: int | None
    categories: tuple[str, ...] = ()
    """What it is about, as policies and roles name it (GOV-14)."""
    enabled: bool = True
    shadowed: bool = False
    """True when an internal tool has the same name and is used in its place (TOOL-15)."""
    endpoint: str | None = None
    auth: ToolAuth | None = None
    config: dict[str, Any] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class MadeTool(ToolView):
    """A tool just registered. ``signing_secret`` is shown this once, when Retinue made it (EXT-25)."""

    collisions: tuple[Collision, ...] = ()
    signing_secret: str | None = None


INWARD = frozenset({"endpoint", "auth", "config"})
"""What of a registered tool only admins see."""


def of_code(spec: ToolSpec) -> ToolView:
    """A tool of code, as people see it."""
    return ToolView.model_validate(spec.model_dump(exclude={"has_body", "host", "price_micro"}))


def of_row(row: ToolRow, *, whole: bool) -> ToolView:
    """A registered tool, as people see it; ``whole``: as admins do."""
    hidden = set[str]() if whole else set(INWARD)
    fields = {"kind": row.type, "categories": row.spec.categories, **row.model_dump(exclude={"type"} | hidden)}
    return ToolView.model_validate(fields)


def shadow(slug: str) -> Collision:
    """That a tool of code is used in place of the registered one."""
    return Collision(slug=slug, winner=ToolKind.INTERNAL, loser=ToolKind.EXTERNAL)


def made(registered: "Registered") -> MadeTool:
    """What the one who registered a tool is told."""
    seen = of_row(registered.tool, whole=True).model_dump()
    return MadeTool(**seen, collisions=registered.collisions, signing_secret=registered.signing_secret)


Described = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(storable)]
Endpoint = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(storable)]
Seconds = Annotated[float, Field(ge=0.1, le=600)]
Calls = Annotated[int, Field(ge=1, le=1_000_000)]


class NewTool(Value):
    """What one registers. The slug may be any spelling; it is stored as the canonical one."""

    slug: str = Field(min_length=1, max_length=63)
    name: Line
    description: Described
    parameters: Object = Field(default_factory=lambda: {"type": "object", "properties": {}})
    returns: Object = Field(default_factory=dict)
    """The schema of ``result.structured_data``; empty: anything."""
    config: Object = Field(default_factory=dict)
    endpoint: Endpoint
    auth: ToolAuth = ToolAuth()
    effect: Effect
    trust: TrustLevel = TrustLevel.STANDARD
    requires_approval: bool = False
    timeout_seconds: Seconds = 30.0
    max_calls_per_interaction: Calls | None = None
    enabled: bool = True


class ToolChange(Value):
    """Some fields of a tool; those left out stay. The slug cannot change: agents name the tool by it."""

    name: Line | MISSING = MISSING
    description: Described | MISSING = MISSING
    parameters: Object | MISSING = MISSING
    returns: Object | MISSING = MISSING
    config: Object | MISSING = MISSING
    endpoint: Endpoint | MISSING = MISSING
    auth: ToolAuth | MISSING = MISSING
    effect: Effect | MISSING = MISSING
    trust: TrustLevel | MISSING = MISSING
    requires_approval: bool | MISSING = MISSING
    timeout_seconds: Seconds | MISSING = MISSING
    max_calls_per_interaction: Calls | MISSING | None = MISSING
    enabled: bool | MISSING = MISSING


class ToolUse(Value):
    """How an agent has a tool. ``config`` can only tighten what the tool itself says (TOOL-17)."""

    enabled: bool = True
    config: Object = Field(default_factory=dict)


class Registered(Value):
    """What registering gave. ``signing_secret`` is shown this once, when Retinue made it (EXT-25)."""

    tool: ToolRow
    collisions: tuple[Collision, ...] = ()
    signing_secret: str | None = None


def objections(new: NewTool) -> list[dict[str, str]]:
    """What cannot be registered, as ``errors`` entries of ``BadInput``; empty when all is well."""
    found: list[dict[str, str]] = []
    if not aliases.SLUG.fullmatch(aliases.canonical(new.slug)) or aliases.canonical(new.slug) in aliases.FAMILIES:
        found.append({"path": "slug", "reason": "must be a name of letters, digits and underscores, at most 63"})
    if new.effect is Effect.WRITE:
        found.append(
            {
                "path": "effect",
                "reason": "write is for Retinue's own data: an endpoint's effect is read, "
                "external_keyed or external_once",
            }
        )
    if wrong := addresses.objection(new.endpoint):
        found.append({"path": "endpoint", "reason": wrong})
    found += schemas.check_schema(new.parameters, "parameters")
    if new.parameters.get("type") != "object":
        found.append({"path": "parameters.type", "reason": "must be object"})
    found += schemas.check_schema(new.returns, "returns")
    found += _auth_objections(new.auth)
    found += _policy_objections(new.config)
    share = new.config.get("share", [])
    if not isinstance(share, list) or any(str(entry) not in SHARED for entry in cast(list[Any], share)):
        found.append({"path": "config.share", "reason": f"must be a list of: {', '.join(sorted(SHARED))}"})
    return found


def _policy_objections(config: dict[str, Any]) -> list[dict[str, str]]:
    """What rules go by: what the tool is about, and what a call of it may cost."""
    found: list[dict[str, str]] = []
    named = config.get("categories", [])
    if not isinstance(named, list) or not all(
        isinstance(one, str) and CATEGORY.fullmatch(one) for one in cast(list[Any], named)
    ):
        words = "must be a list of names of lower-case letters, digits and underscores, such as external_email"
        found.append({"path": "config.categories", "reason": words})
    price = config.get("price_micro", 0)
    if not isinstance(price, int) or isinstance(price, bool) or not 0 <= price <= MAX_PRICE_MICRO:
        words = f"must be the most a call may cost in millionths of a US dollar, at most {MAX_PRICE_MICRO}"
        found.append({"path": "config.price_micro", "reason": words})
    return found


def _auth_objections(auth: ToolAuth) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    if auth.type != "none" and not auth.secret_name:
        found.append({"path": "auth.secret_name", "reason": f"is needed for {auth.type}"})
    if auth.type == "api_key" and (not HEADER.fullmatch(auth.header) or auth.header.lower() in OWN_HEADERS):
        found.append({"path": "auth.header", "reason": "is not a header that may carry a key"})
    return found
