"""The commands ``policy``: read them, keep them in git and apply them, ask why, test them, look back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from retinue.cli.place import api_of
from retinue.cli.things import Json

if TYPE_CHECKING:
    from retinue.cli.http import Api

app = typer.Typer(no_args_is_help=True, help="Rules over what agents may do: read, apply, explain, test, restore.")

Files = Annotated[list[Path], typer.Argument(exists=True, metavar="FILE...", help="YAML files, or folders of them.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Also remove what the files do not name, in the places they speak of.")
]
Policy = Annotated[str, typer.Argument(metavar="POLICY", help="A policy's id (pol_...) or name.")]
UNITS = {"micro": "millionths of a dollar", "calls": "calls", "tokens": "tokens"}
MARKS = {"create": ("+", "green"), "delete": ("-", "red"), "update": ("~", "yellow")}


@app.command("list")
def list_policies(
    ctx: typer.Context,
    layer: Annotated[str | None, typer.Option(help="account, team or user")] = None,
    type: Annotated[str | None, typer.Option(help="A type of rule, such as approval.")] = None,
    as_json: Json = False,
) -> None:
    """The policies you may see."""
    from retinue.cli import render

    rows = list(api_of(ctx).each("/v1/policies", layer=layer, type=type))
    columns = ("id", "layer", "name", "type", "enabled", "priority", "version", "updated_at")
    render.as_json(rows) if as_json else render.table(rows, columns, "There are no policies yet.")


@app.command()
def show(ctx: typer.Context, policy: Policy) -> None:
    """One policy, as JSON."""
    from retinue.cli import render

    api = api_of(ctx)
    render.as_json(api.get(f"/v1/policies/{_id(api, policy)}"))


@app.command()
def export(ctx: typer.Context) -> None:
    """The account's and teams' policies as YAML, for git: retinue policy export > policies.yaml"""
    from retinue.cli import policy_files

    found = api_of(ctx).get("/v1/policies/documents")["policies"]
    typer.echo(policy_files.text([_short(one) for one in found]), nl=False)


def _short(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what goes without saying."""
    usual = {"team": None, "enabled": True, "priority": 100}
    return {key: value for key, value in document.items() if usual.get(key, ...) != value}


# ── what files say ───────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def apply(
    ctx: typer.Context,
    files: Files,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    prune: Prune = False,
    as_json: Json = False,
) -> None:
    """Make the policies what the files say: all of it, or nothing."""
    answer = _apply(ctx, files, dry_run=dry_run, prune=prune)
    _tell(answer, as_json)


@app.command()
def diff(ctx: typer.Context, files: Files, prune: Prune = False, as_json: Json = False) -> None:
    """What applying the files would change. Ends with 1 if anything."""
    answer = _apply(ctx, files, dry_run=True, prune=prune)
    _tell(answer, as_json)
    if any(one["action"] != "unchanged" for one in answer["changes"]):
        raise typer.Exit(1)


def _apply(ctx: typer.Context, files: list[Path], *, dry_run: bool, prune: bool) -> dict[str, Any]:
    from retinue.cli import policy_files

    body = {"policies": policy_files.policies(files), "dry_run": dry_run, "prune": prune}
    answer: dict[str, Any] = api_of(ctx).post("/v1/policies/apply", body)
    return answer


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    from retinue.cli import render

    if as_json:
        render.as_json(answer)
        return
    counts = {action: 0 for action in ("create", "update", "delete", "unchanged")}
    for one in answer["changes"]:
        counts[one["action"]] += 1
        if one["action"] in MARKS:
            _tell_one(one)
    words = "would be" if answer["dry_run"] else "are"
    typer.echo(
        f"{counts['create']} {words} made, {counts['update']} changed, {counts['delete']} removed; "
        f"{counts['unchanged']} stay as they are."
    )


def _tell_one(change: dict[str, Any]) -> None:
    mark, colour = MARKS[change["action"]]
    place = change["layer"] if change["team"] is None else f"team {change['team']}"
    typer.secho(f"{mark} {place}: {change['name']}", fg=colour)
    for one in change["differences"]:
        typer.echo(f"    {one['path']}: {_value(one['before'])} -> {_value(one['after'])}")
    for warning in change["warnings"]:
        typer.secho(f"    ! {warning}", fg="yellow")
    for below in change["ceilings"]:
        typer.secho(f"    ! “{below['name']}” of a {below['layer']} {below['detail']}; the tighter holds.", fg="yellow")
    if change["personal_ceilings"]:
        typer.secho(f"    ! so do {change['personal_ceilings']} people's own policies; the tighter holds.", fg="yellow")


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ── why, and whether ─────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def explain(  # noqa: PLR0913 - one option each
    ctx: typer.Context,
    agent: Annotated[str, typer.Argument(help="An agent's slug or id.")],
    tool: Annotated[str | None, typer.Argument(help="A tool's name; without one, name a --model.")] = None,
    argument: Annotated[list[str] | None, typer.Option("--arg", help="name=value, the value as JSON or text.")] = None,
    arguments: Annotated[str, typer.Option(help="All arguments as one JSON object.")] = "{}",
    model: Annotated[str | None, typer.Option(help="Ask about calling this model.")] = None,
    person: Annotated[str | None, typer.Option(help="Whom the agent works for: an e-mail address or id.")] = None,
    channel: Annotated[str | None, typer.Option(help="Where: a channel's slug or id.")] = None,
    at: Annotated[str | None, typer.Option(help="When: an RFC 3339 time.")] = None,
    as_json: Json = False,
) -> None:
    """What would happen to a call, and because of which rules. Nothing happens."""
    from retinue.cli import render

    api = api_of(ctx)
    body: dict[str, Any] = {"agent_id": _find(api, "/v1/agents", agent, "slug"), "tool": tool, "model": model, "at": at}
    if tool is not None:
        body["arguments"] = _arguments(arguments, argument or [])
    if person is not None:
        body["user_id"] = _find(api, "/v1/users", person, "email")
    if channel is not None:
        body["channel_id"] = _find(api, "/v1/channels", channel, "slug")
    answer = api.post("/v1/policy/explain", {key: value for key, value in body.items() if value is not None})
    render.as_json(answer) if as_json else _explain(answer)


def _explain(answer: dict[str, Any]) -> None:
    from retinue.cli import render

    colour = {"allow": "green", "ask": "yellow", "deny": "red"}[answer["verdict"]]
    typer.secho(f"{answer['verdict']}  {answer['reason'] or ''}".strip(), fg=colour, bold=True)
    for line in (answer["detail"], answer["misfit"] and f"The tool would refuse the arguments: {answer['misfit']}"):
        if line:
            typer.echo(line)
    if answer["ask"]:
        for panel in answer["ask"]["panels"]:
            who = [f"{panel['role']}s" if panel["role"] else "", *panel["users"], "the person" * panel["requester"]]
            eyes = ", never the person it is for" if panel["four_eyes"] else ""
            typer.echo(f"Asks {panel['quorum']} of: {', '.join(one for one in who if one)}{eyes}.")
    if answer["redact"]:
        typer.echo(f"Takes out of the arguments: {', '.join(answer['redact'])}.")
    typer.echo("")
    render.table(answer["opinions"], ("layer", "rule", "verdict", "reason", "detail"), "")
    for one in answer["budgets"]:
        left = "" if one["left"] is None else f"; {one['left']} {UNITS[one['unit']]} left"
        typer.echo(f"Counts against “{one['name']}” ({one['layer']}, {one['rule']['type']}){left}.")


@app.command()
def test(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A YAML file with a list of tests.")],
    policies: Annotated[
        list[Path] | None, typer.Option("--policies", exists=True, help="Test by these policies, not yet applied.")
    ] = None,
    prune: Prune = False,
    as_json: Json = False,
) -> None:
    """Whether the rules say what is expected of them, now or with --policies. Ends with 1 if one does not."""
    from retinue.cli import policy_files, render

    content = policy_files.read(file)
    tests = policy_files.listed(file, content, "tests")
    chosen = policies or _beside(file, content)
    body: dict[str, Any] = {"tests": tests, "prune": prune}
    if chosen:
        body["policies"] = policy_files.policies(chosen)
    answer = api_of(ctx).post("/v1/policies/test", body)
    if as_json:
        render.as_json(answer)
    else:
        _tell_tests(tests, answer["results"])
    if not answer["passed"]:
        raise typer.Exit(1)


def _beside(file: Path, content: Any) -> list[Path]:
    """The policy files that a file of tests names under ``policies``, from where it stands."""
    named: Any = cast("dict[str, Any]", content).get("policies") if isinstance(content, dict) else None
    listed: list[Any] = cast("list[Any]", named) if isinstance(named, list) else [named] if named else []
    return [file.parent / str(one) for one in listed]


def _tell_tests(tests: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
    from retinue.cli import render

    rows = [
        {
            "passed": "yes" if came["passed"] else "NO", "test": test.get("name") or _named(test),
            "expected": _outcome(test.get("expect"), test.get("reason")),
            "came": _outcome(came["verdict"], came["reason"] if came["verdict"] != "allow" else None),
            "because of": came["rule"] or "",
        }
        for test, came in zip(tests, results, strict=True)
    ]  # fmt: skip
    render.table(rows, ("passed", "test", "expected", "came", "because of"), "")
    failed = sum(not one["passed"] for one in results)
    typer.secho(f"{len(results) - failed} of {len(results)} passed.", fg="red" if failed else "green")


def _named(test: dict[str, Any]) -> str:
    return f"{test.get('agent')}: {test.get('tool') or test.get('model')}"


def _outcome(verdict: Any, reason: Any) -> str:
    return f"{verdict} ({reason})" if reason else str(verdict)


# ── looking back ─────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def history(ctx: typer.Context, policy: Policy, as_json: Json = False) -> None:
    """What a policy has said, newest first; by its id also one that was removed."""
    from retinue.cli import render

    api = api_of(ctx)
    rows = list(api.each(f"/v1/policies/{_id(api, policy)}/versions"))
    columns = ("version", "changed_at", "changed_by", "deleted", "enabled", "priority", "name", "rule")
    shown = [{**row, "rule": _value(row["rule"])} for row in rows]
    render.as_json(rows) if as_json else render.table(shown, columns, "")


@app.command()
def restore(
    ctx: typer.Context, policy: Policy, version: Annotated[int, typer.Argument(min=1, help="See: policy history.")]
) -> None:
    """Have a policy say again what it said in a version."""
    api = api_of(ctx)
    done = api.post(f"/v1/policies/{_id(api, policy)}/versions/{version}/restore")
    typer.echo(f"“{done['name']}” says again what it said in version {version}; that is now version {done['version']}.")


# ── what they share ──────────────────────────────────────────────────────────────────────────────────────────────


def _id(api: "Api", policy: str) -> str:
    """The id of a policy by name or id. Raises NotFound, BadParameter when several have the name."""
    if policy.startswith("pol_"):
        return policy
    found = [one for one in api.each("/v1/policies") if one["name"].lower() == policy.lower()]
    if len(found) > 1:
        listed = ", ".join(f"{one['id']} ({one['layer']})" for one in found)
        raise typer.BadParameter(f"several policies are named {policy!r}: {listed}")
    return _one(found, f"There is no policy {policy!r}. See: retinue policy list")


def _find(api: "Api", path: str, text: str, field: str) -> str:
    found = [one for one in api.each(path) if text in (one["id"], one.get(field))]
    return _one(found, f"There is no {path.rpartition('/')[2].removesuffix('s')} {text!r}.")


def _one(found: list[dict[str, Any]], missing: str) -> str:
    from retinue import errors

    if not found:
        raise errors.NotFound(missing)
    return str(found[0]["id"])


def _arguments(whole: str, single: list[str]) -> dict[str, Any]:
    try:
        given: Any = json.loads(whole)
    except ValueError as error:
        raise typer.BadParameter(f"--arguments is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise typer.BadParameter("--arguments must be one JSON object")
    named: dict[str, Any] = {}
    for one in single:
        name, is_there, value = one.partition("=")
        if not is_there:
            raise typer.BadParameter(f"--arg {one!r} must be name=value")
        try:
            named[name] = json.loads(value)
        except ValueError:
            named[name] = value
    return {**given, **named}
