"""Accounts, teams, users, members, and the principal on whose authority a request runs."""

import hashlib
import secrets
import unicodedata
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from retinue.domain import ids
from retinue.domain.agents import Agent
from retinue.domain.base import Value
from retinue.domain.channels import Channel
from retinue.domain.ids import AccountId, KeyId, MemberId, Prefix, SessionId, TeamId, UserId

LinkId = Annotated[UUID, Prefix("lnk")]


class Role(StrEnum):
    """A user's role in an account or team, each including the ones below it."""

    OWNER = "owner"
    ADMIN = "admin"
    LEAD = "lead"
    MEMBER = "member"


RANK = {Role.MEMBER: 0, Role.LEAD: 1, Role.ADMIN: 2, Role.OWNER: 3}


def at_least(role: Role, needed: Role) -> bool:
    """Whether ``role`` includes ``needed``."""
    return RANK[role] >= RANK[needed]


class Scope(StrEnum):
    """What an API key may do. A session may do all that its user may."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    APPROVE = "approve"
    """Decide about calls that wait for approval."""


class Account(Value):
    id: AccountId
    name: str
    slug: str
    default_model: str | None = None
    loosest_trigger_mode: str = "proactive"
    default_delivery: str = "inline"
    """How agents reply in new channels: inline, threaded, direct or silent (CHN-14)."""
    created_at: datetime


class Team(Value):
    id: TeamId
    name: str
    slug: str
    loosest_trigger_mode: str = "proactive"
    created_at: datetime


class User(Value):
    id: UserId
    email: str
    name: str
    time_zone: str = "UTC"
    locale: str = "en"
    status: Literal["active", "suspended"] = "active"
    loosest_trigger_mode: str = "proactive"
    created_at: datetime


class Member(Value):
    """A user's role in the account (``team_id`` empty) or in one team."""

    id: MemberId
    user_id: UserId
    team_id: TeamId | None = None
    role: Role
    created_at: datetime


class ApiKey(Value):
    """An API key without its secret, which is shown once, when it is made."""

    id: KeyId
    user_id: UserId
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


class Principal(Value):
    """Who is asking: a user of one account, through a session or a key, with that account's role.

    ``key_id`` and ``session_id``: exactly one is set for HTTP requests, none for work that Retinue does itself.
    """

    account_id: AccountId
    user_id: UserId
    role: Role
    scopes: tuple[Scope, ...] = Field(default=tuple(Scope))
    key_id: KeyId | None = None
    session_id: SessionId | None = None


class UserDetail(User):
    """A user with the role in the account; ``role`` is empty for one who is no longer a member."""

    role: Role | None = None


class MadeKey(ApiKey):
    """A new API key. ``secret`` is shown this once; only its hash is kept."""

    secret: str


class Session(Value):
    """A signed-in browser or program, without its token."""

    id: SessionId
    user_id: UserId
    created_at: datetime
    expires_at: datetime


class OpenSession(Session):
    """One of one's own sessions that has not ended."""

    user_agent: str | None = None
    """What the browser or program called itself when it signed in."""
    current: bool
    """Whether this request came with it."""


class SignInLink(Value):
    """A one-time link that signs ``user_id`` in. ``token`` is shown this once; only its hash is kept."""

    id: LinkId
    user_id: UserId
    expires_at: datetime
    token: str
    url: str | None = None


class Identity(Value):
    """What an identity provider vouches for: a person by (issuer, subject), and an e-mail if it checked one."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False


class Me(Value):
    """Who is signed in, where, with which rights."""

    account: Account
    user: User
    role: Role
    scopes: tuple[Scope, ...]
    key_id: KeyId | None = None
    session_id: SessionId | None = None
    has_password: bool = False
    """Whether a password was set; changing it then takes the present one."""


class Bootstrapped(Value):
    """What a first run needs: made once, found again ever after."""

    account: Account
    owner: User
    channel: Channel
    """The organisation channel."""
    agent: Agent
    """The built-in Assistant."""
    private_channel: Channel
    """Where the owner and the Assistant talk alone."""


# ── what people send ─────────────────────────────────────────────────────────────────────────────────────────────


def _no_control(text: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("must not contain control characters")
    return text


def _zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise ValueError("must be a time zone such as Europe/Paris") from error
    return text


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_control)
]
Email = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$"), AfterValidator(_no_control)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$", max_length=35)]
Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]
Mode = Literal["silent", "mention", "proactive"]


class AccountChanges(Value):
    """Fields that are left out stay as they are."""

    name: Name | None = None
    default_model: Annotated[str, StringConstraints(max_length=200), AfterValidator(_no_control)] | None = None
    """Null goes back to the installation's default."""
    loosest_trigger_mode: Mode | None = None
    default_delivery: Literal["inline", "threaded", "direct", "silent"] | None = None
    """How agents reply in channels made from now on."""


class NewUser(Value):
    email: Email
    name: Name
    role: Role = Role.MEMBER
    time_zone: TimeZone = "UTC"
    locale: Locale = "en"


class UserChanges(Value):
    """Fields that are left out stay as they are."""

    email: Email | None = None
    name: Name | None = None
    time_zone: TimeZone | None = None
    locale: Locale | None = None
    status: Literal["active", "suspended"] | None = None
    loosest_trigger_mode: Mode | None = None


class NewTeam(Value):
    name: Name
    slug: Slug
    loosest_trigger_mode: Mode = "proactive"


class TeamChanges(Value):
    """Fields that are left out stay as they are."""

    name: Name | None = None
    slug: Slug | None = None
    loosest_trigger_mode: Mode | None = None


class NewMember(Value):
    user_id: UserId
    role: Role = Role.MEMBER
    team_id: TeamId | None = None


class NewTeamMember(Value):
    user_id: UserId
    role: Role = Role.MEMBER


class RoleChange(Value):
    role: Role


class NewKey(Value):
    name: Name
    scopes: tuple[Scope, ...] = Field(default=(Scope.READ, Scope.WRITE), min_length=1, max_length=4)
    expires_at: AwareDatetime | None = None
    user_id: UserId | None = None
    """Whose key; empty: the caller's own. Keys of others take an admin."""


class SignInMethods(Value):
    """The ways of signing in that this installation has; one-time links always work."""

    password: bool = True
    provider: str | None = None
    """The identity provider's host, where one is configured: GET /v1/oidc/start begins there."""


class PasswordSignIn(Value):
    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    account: Annotated[str, StringConstraints(max_length=100)] | None = None
    """Slug or id, where one person is in several accounts."""


class LinkSignIn(Value):
    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class NewSignInLink(Value):
    user_id: UserId


class NewPassword(Value):
    password: Password
    current: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Needed when there is one already."""


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────
# They carry their account, so that looking one up is a query of one tenant:
# rtn_<26 characters: the account's id><_><43 characters: 256 random bits>.

KEY_PREFIX = "rtn"
SESSION_PREFIX = "rts"
LINK_PREFIX = "rtl"


@dataclass(frozen=True, slots=True)
class Token:
    """A credential in parts. ``hash`` is all that is ever stored of it."""

    kind: str
    account_id: UUID
    hash: bytes


def make_token(kind: str, account_id: UUID) -> str:
    """A fresh credential of this kind (``rtn``, ``rts`` or ``rtl``) for the account."""
    return f"{ids.encode(kind, account_id)}_{secrets.token_urlsafe(32)}"


def parse_token(text: str, kind: str) -> Token | None:
    """The parts of a credential, or None when it cannot be one of this kind."""
    head, body, secret = text[:3], text[4:30], text[31:]
    if head != kind or len(text) != 74 or text[3] != "_" or text[30] != "_":
        return None
    try:
        return Token(kind, ids.decode(kind, f"{kind}_{body}"), hash_token(text)) if secret.isascii() else None
    except ValueError:
        return None


def hash_token(text: str) -> bytes:
    """SHA-256: enough for 256 random bits, which cannot be guessed however fast the hash."""
    return hashlib.sha256(text.encode()).digest()


def token_prefix(text: str) -> str:
    """The part of a key that people may see again, to tell keys apart: 4 characters of its secret."""
    return f"{text[:4]}…{text[31:35]}"


# ── who may change whom ──────────────────────────────────────────────────────────────────────────────────────────


def may_manage(caller: Role, target: Role) -> bool:
    """Whether someone with role ``caller`` may make, change or sign in for someone with role ``target``.

    Admins manage admins and below; only owners touch owners. Otherwise an admin could become owner by way of a link.
    """
    return at_least(caller, Role.ADMIN) and at_least(caller, target)


def may_grant(caller: Iterable[Scope], asked: Iterable[Scope]) -> bool:
    """Whether a credential with these scopes may make a key with those: never more than its own."""
    return set(asked) <= set(caller)
