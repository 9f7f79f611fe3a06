"""The tools that code declares: ``@tool`` and the registry. The only place tool bodies are kept.

A body sits in a closure that opens with the gate's key alone, and the key is handed out once: nothing but the gate
can run a tool. Not here: which of them an agent has (``resolve``), and whether it may call them (``turn.gate``).
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from types import ModuleType
from typing import Any, cast

import asyncpg

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import aliases, schemas
from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Collision, Effect, ToolContext, ToolKind, ToolSpec
from retinue.tools import egress, signatures

GROUP = "retinue.tools"


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool's body is handed. It reaches data through ``tx`` and the outside through ``egress``, no other way."""

    call: ToolContext
    egress: egress.Client
    tx: Tx | None = None
    """The open tenant transaction; set for ``read`` and ``write`` tools, None for external ones."""
    tools: tuple[ToolSpec, ...] = ()
    """What the agent has in this turn, for tools that speak about tools."""

    @property
    def data(self) -> Tx:
        """The transaction. Raises ``ToolError`` for a tool whose effect is external, which has none."""
        if self.tx is None:
            raise errors.ToolError("This tool has no access to data.", code="no_transaction")
        return self.tx


Body = Callable[..., Awaitable[Any]]
Runner = Callable[[ToolSpec, Context, dict[str, Any]], Awaitable[Any]]
"""Takes the spec in force, the context and the arguments as the model gave them; checks them; gives JSON."""
Check = Callable[[dict[str, Any]], object]
"""Raises ``ToolRefused`` (``invalid_arguments``) for arguments that do not fit."""


# ── the key ──────────────────────────────────────────────────────────────────────────────────────────────────────


class GateKey:
    """Its one instance opens tool bodies."""

    __slots__ = ()


_KEY = GateKey()
_handed_out: list[bool] = []


def gate_key() -> GateKey:
    """The key, once per process, to the gate. Raises ``Forbidden`` ever after."""
    if _handed_out:
        raise errors.Forbidden("The gate has its key already; tools run only through the gate.", code="ungated")
    _handed_out.append(True)
    return _KEY


# ── one tool ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, whatever its kind. Made by ``tool``, ``declare`` and ``wrap``."""

    spec: ToolSpec
    _open: Callable[[GateKey], Runner]
    _check: Check

    def check(self, arguments: dict[str, Any]) -> None:
        """Whether the arguments fit, before anybody is asked about them. Raises ``ToolRefused``."""
        self._check(arguments)

    async def run(self, key: GateKey, ctx: Context, arguments: dict[str, Any]) -> Any:
        """Check the arguments, run the body, give its result as JSON.

        Raises ``Forbidden`` without the gate's key; ``ToolRefused`` (``invalid_arguments``, ``no_body``);
        ``ToolTransient`` or, for ``external_once``, ``ToolOutcomeUnknown`` when time is up; ``ToolError`` for what the
        body failed with. Errors of the database pass unchanged: the transaction they broke is the caller's.
        """
        return await self._open(key)(self.spec, ctx, arguments)

    def narrowed(self, spec: ToolSpec) -> "Tool":
        """The same tool under a tighter spec."""
        return replace(self, spec=spec)


def wrap(spec: ToolSpec, runner: Runner, check: Check | None = None) -> Tool:
    """A tool from its spec and what runs it. The runner checks the arguments itself, as ``check`` does, and bounds its
    own time. Without ``check`` the spec's schema is what arguments have to fit."""

    def unlock(key: GateKey) -> Runner:
        if key is not _KEY:
            raise errors.Forbidden("Only the gate may run a tool.", code="ungated")
        return runner

    return Tool(spec, unlock, check or _by_schema(spec))


def _by_schema(spec: ToolSpec) -> Check:
    checker = schemas.checker(spec.parameters)

    def check(arguments: dict[str, Any]) -> None:
        found = schemas.problems(checker, arguments)
        if found:
            raise signatures.refused(found)

    return check


def tool(  # noqa: PLR0913 - one keyword for each thing a tool may declare
    *,
    effect: Effect | None = None,
    trust: TrustLevel = TrustLevel.READ,
    name: str | None = None,
    requires_approval: bool = False,
    timeout: float = 30.0,
    max_calls: int | None = None,
    categories: Iterable[str] = (),
) -> Callable[[Body], Tool]:
    """Declare an async function as a tool: ``async def search(ctx: Context, query: str) -> list[Hit]``.

    The schema comes from the type hints, descriptions from the Google-style docstring, the slug from ``name`` or the
    function's name. Raises TypeError when the effect is not declared or the signature cannot be read: such a tool
    does not import.
    """

    def decorate(body: Body) -> Tool:
        _check_declaration(body, effect)
        signature = signatures.Signature(body)
        if not signature.description:
            raise TypeError(f"{body.__qualname__}: a tool needs a docstring: the model reads it")
        slug = aliases.canonical(name or body.__name__)
        spec = ToolSpec(
            slug=slug,
            kind=ToolKind.INTERNAL,
            name=slug.replace("_", " ").capitalize(),
            description=signature.description,
            parameters=signature.parameters,
            returns=signature.returns,
            effect=cast(Effect, effect),
            trust=trust,
            requires_approval=requires_approval,
            timeout_seconds=timeout,
            max_calls_per_interaction=max_calls,
            categories=tuple(categories),
        )
        return wrap(spec, _runner(body, signature), signature.parse)

    return decorate


def declare(
    *, name: str, description: str, effect: Effect, parameters: Mapping[str, Any], trust: TrustLevel = TrustLevel.READ
) -> Tool:
    """A tool without a body: calling it means stop and signal, for example to a person (TOOL-02)."""
    slug = aliases.canonical(name)
    spec = ToolSpec(
        slug=slug,
        kind=ToolKind.INTERNAL,
        name=slug.replace("_", " ").capitalize(),
        description=description,
        parameters=dict(parameters),
        effect=effect,
        trust=trust,
        has_body=False,
    )
    check = _by_schema(spec)

    async def run(spec: ToolSpec, ctx: Context, arguments: dict[str, Any]) -> Any:
        check(arguments)
        raise errors.ToolRefused("This tool only signals, and nobody waits for it. Go on without it.", code="no_body")

    return wrap(spec, run, check)


def _check_declaration(body: Body, effect: Effect | None) -> None:
    where = getattr(body, "__qualname__", repr(body))
    if not isinstance(effect, Effect):
        raise TypeError(f"{where}: a tool must declare its effect, as @tool(effect=Effect.READ)")
    if not inspect.iscoroutinefunction(body):
        raise TypeError(f"{where}: a tool's body is an async function")
    parameters = list(inspect.signature(body).parameters.values())
    if not parameters or any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters):
        raise TypeError(f"{where}: a tool takes the context first and then named parameters")


def _runner(body: Body, signature: signatures.Signature) -> Runner:
    async def run(spec: ToolSpec, ctx: Context, arguments: dict[str, Any]) -> Any:
        values = signature.parse(arguments)
        try:
            async with asyncio.timeout(spec.timeout_seconds):
                result = await body(ctx, **values)
        except TimeoutError as error:
            raise out_of_time(spec) from error
        except errors.ToolTransient as error:
            raise doubtful(spec, error) from error
        except (errors.ToolError, errors.Fenced, errors.Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError):
            raise
        except errors.RetinueError as error:
            raise errors.ToolError(error.detail, code=error.reason_code) from error
        except Exception as error:  # a body may fail in any way; its words may hold secrets, so they stay in the cause
            raise errors.ToolError(f"The tool failed inside ({type(error).__name__}).") from error
        return signature.dump(result)

    return run


def out_of_time(spec: ToolSpec) -> errors.ToolError:
    """What a call that took too long becomes, by effect."""
    words = f"{spec.slug} did not answer within {spec.timeout_seconds:g} seconds."
    return doubtful(spec, errors.ToolTransient(words, code="tool_timeout", sent=True))


def doubtful(spec: ToolSpec, error: errors.ToolTransient) -> errors.ToolError:
    """A transient failure, unless the request had left and sending it again could do a thing twice."""
    if spec.effect is Effect.EXTERNAL_ONCE and error.data.get("sent"):
        return errors.ToolOutcomeUnknown(
            f"{error.detail} It may or may not have done its work.", cause=error.reason_code
        )
    return error


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────


class Registry:
    """The internal tools by slug. Of two with one name the first wins and the other is reported in ``collisions``."""

    def __init__(self, tools: Iterable[Tool | tuple[str, Tool]] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        self._owners: dict[str, str] = {}
        self.collisions: tuple[Collision, ...] = ()
        for entry in tools:
            owner, one = entry if isinstance(entry, tuple) else ("application", entry)
            self._add(owner, one)

    def _add(self, owner: str, one: Tool) -> None:
        slug = one.spec.slug
        if slug in self._tools:
            self.collisions += (Collision(slug=slug, winner=self._owners[slug], loser=owner),)
            return
        self._tools[slug] = one
        self._owners[slug] = owner

    @classmethod
    def load(cls) -> "Registry":
        """All tools of the entry-point group ``retinue.tools``: Retinue's own first, then packages by name.

        An entry point names a module (its ``Tool`` attributes count), a tool, or a list of tools. Raises
        ``Misconfigured`` naming the package whose tools do not import, for example as one declares no effect.
        """
        return cls(found for entry in _ordered(metadata.entry_points(group=GROUP)) for found in _load(entry))

    def get(self, name: str) -> Tool | None:
        """The tool of any spelling of a name."""
        return self._tools.get(self.canonical(name))

    def canonical(self, name: str) -> str:
        """The slug for any spelling of a name, known or not."""
        return aliases.canonical(name)

    def specs(self) -> tuple[ToolSpec, ...]:
        """All tools, by slug."""
        return tuple(self._tools[slug].spec for slug in sorted(self._tools))


def _ordered(entries: Iterable[metadata.EntryPoint]) -> list[metadata.EntryPoint]:
    return sorted(entries, key=lambda e: (not e.value.startswith("retinue."), e.dist.name if e.dist else "", e.name))


def _load(entry: metadata.EntryPoint) -> list[tuple[str, Tool]]:
    owner = entry.dist.name if entry.dist else entry.name
    try:
        return [(owner, one) for one in collect(entry.load())]
    except Exception as error:
        raise errors.Misconfigured(
            f"The tools of package {owner!r} ({entry.value}) do not load: {error}. Fix or uninstall the package."
        ) from error


def collect(source: object) -> list[Tool]:
    """The tools of a module (its ``TOOLS``, else all in the order written), a list, or one tool. Raises TypeError."""
    if isinstance(source, Tool):
        return [source]
    if isinstance(source, ModuleType):
        listed = getattr(source, "TOOLS", None)
        return [one for one in vars(source).values() if isinstance(one, Tool)] if listed is None else collect(listed)
    if isinstance(source, list | tuple):
        return [one for item in cast(list[object], source) for one in collect(item)]
    raise TypeError(f"expected a module, a tool or a list of tools, not {type(source).__name__}")
