/** What the agent is, in two columns: what it is told, may do and did; and the facts beside it. */
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, type CSSProperties, type ReactNode } from "react";

import { useAgentActivity, useAgentTools, type Agent, type AgentActivity } from "@/api/agents";
import { useTools, type Tool } from "@/api/tools";
import { useModels } from "@/api/models";
import { count, plural } from "@/lib/format";
import { money } from "@/lib/money";
import { CopyButton } from "@/ui/CopyButton";
import { CostCell } from "@/ui/CostCell";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { StateWord } from "@/ui/StateWord";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./AgentPage.module.css";
import { EFFECTS, TRIGGERS, TRUST, trusts } from "./words";

const CostChart = lazy(() => import("./CostChart"));

export function Overview({ agent }: { agent: Agent }) {
  const activity = useAgentActivity(agent.id);
  const retry = () => void activity.refetch();
  const part = (what: string, show: (data: AgentActivity) => ReactNode, rows = 3): ReactNode => {
    if (activity.data) return show(activity.data);
    if (activity.isError) return <ErrorState inline error={activity.error} what={what} retry={retry} />;
    return <ListSkeleton rows={rows} label={`Loading ${what}`} />;
  };
  return (
    <div className={classes.columns} style={{ "--accent": agent.accent_colour } as CSSProperties}>
      <div className={classes.column}>
        <section aria-label="About">
          <p className={classes.lead}>{agent.description || <span className={classes.dim}>No description.</span>}</p>
        </section>
        <section aria-label="Cost by day">
          {part("the cost", (data) => (
            <Suspense fallback={<ListSkeleton rows={4} label="Loading the chart" />}>
              <CostChart days={data.days} name={agent.name} />
            </Suspense>
          ), 4)}
        </section>
        <section>
          <h2 className={classes.heading}>Recent turns</h2>
          {part("recent turns", (data) => <Recent turns={data.recent} />, 5)}
        </section>
        <Prompt agent={agent} />
      </div>
      <div className={classes.column}>
        <Facts agent={agent} />
        <section>
          <h2 className={classes.heading}>Active in</h2>
          {part("its channels", (data) => <Channels channels={data.channels} />)}
        </section>
        <Tools agent={agent} />
      </div>
    </div>
  );
}

function Recent({ turns }: { turns: AgentActivity["recent"] }) {
  if (turns.length === 0) return <p className={classes.dim}>Ready for its first turn.</p>;
  return (
    <ul className={classes.list}>
      {turns.map((turn) => (
        <li key={turn.id}>
          <Link className={classes.row} to="/activity/$interactionId" params={{ interactionId: turn.id }}>
            <span className={classes.state}>
              <StateWord state={turn.state} since={turn.started_at} />
            </span>
            <span className={classes.grow}>{turn.channel_name ?? "Without a channel"}</span>
            <span className={`${classes.meta} ${classes.cost}`}>
              <CostCell cost={turn.cost} />
            </span>
            <TimeAgo when={turn.created_at} className={`${classes.meta} ${classes.when}`} />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Channels({ channels }: { channels: AgentActivity["channels"] }) {
  if (channels.length === 0) return <p className={classes.dim}>In none of your channels yet.</p>;
  return (
    <ul className={classes.list}>
      {channels.map((channel) => (
        <li key={channel.channel_id}>
          <Link className={classes.row} to="/channels/$channelId" params={{ channelId: channel.channel_id }}>
            <span className={classes.grow}>{channel.name}</span>
            <span className={classes.meta}>{TRIGGERS[channel.trigger_mode].label}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Prompt({ agent }: { agent: Agent }) {
  return (
    <section>
      <div className={classes.chartHead}>
        <h2 className={classes.heading}>Prompt</h2>
        {agent.system_prompt && <CopyButton text={agent.system_prompt} label="Copy the prompt" />}
      </div>
      {agent.system_prompt ? (
        <pre className={classes.prompt} tabIndex={0} aria-label="Prompt">
          {agent.system_prompt}
        </pre>
      ) : (
        <p className={classes.dim}>No prompt: it answers as its model does by itself.</p>
      )}
    </section>
  );
}

function Facts({ agent }: { agent: Agent }) {
  const models = useModels();
  const { limits } = agent;
  const fallback = models.data?.default_model;
  return (
    <section aria-label="Facts">
      <dl className={classes.facts}>
        <dt>Model</dt>
        <dd>
          {agent.model ? <ModelId id={agent.model} /> : "Account default"}
          {!agent.model && fallback && <div className={classes.dim}>{fallback}</div>}
          {models.data?.offline && <div className={classes.dim}>Offline: no model is connected</div>}
        </dd>
        <dt>Answers</dt>
        <dd>{TRIGGERS[agent.default_trigger_mode].label}</dd>
        <dt>Trust</dt>
        <dd>
          {TRUST[agent.trust_level].label}
          <div className={classes.dim}>{TRUST[agent.trust_level].help}</div>
        </dd>
        <dt>Remembers</dt>
        <dd>{plural(agent.context.recent_messages, "message")}</dd>
        <dt>Per turn</dt>
        <dd>
          {[
            plural(limits.max_steps, "step"),
            minutes(limits.max_seconds),
            limits.max_cost_micro === null ? null : money({ amount_micro: limits.max_cost_micro, currency: "USD" }),
            limits.max_tokens === null ? null : `${count(limits.max_tokens)} tokens`,
            limits.max_calls_per_tool === null ? null : `${plural(limits.max_calls_per_tool, "call")} of one tool`,
          ]
            .filter(Boolean)
            .join(", ")}{" "}
          at most
        </dd>
        <dt>Changed</dt>
        <dd>
          <TimeAgo when={agent.updated_at} />
        </dd>
      </dl>
    </section>
  );
}

/** Broken after its provider, where it has to be. */
function ModelId({ id }: { id: string }) {
  const cut = id.indexOf("/") + 1;
  return (
    <>
      {id.slice(0, cut)}
      <span className={classes.model}>{id.slice(cut)}</span>
    </>
  );
}

function minutes(seconds: number): string {
  return seconds < 60 ? plural(seconds, "second") : plural(Math.round(seconds / 6) / 10, "minute");
}

function Tools({ agent }: { agent: Agent }) {
  const own = useAgentTools(agent.id);
  const known = useTools();
  const bySlug = new Map((known.data ?? []).map((tool) => [tool.slug, tool]));
  return (
    <section>
      <h2 className={classes.heading}>Tools</h2>
      {own.isError && !own.data ? (
        <ErrorState inline error={own.error} what="its tools" retry={() => void own.refetch()} />
      ) : !own.data ? (
        <ListSkeleton rows={3} label="Loading its tools" />
      ) : own.data.length === 0 ? (
        <p className={classes.dim}>None: it talks and does nothing else.</p>
      ) : (
        <ul className={classes.list}>
          {own.data.map((choice) => (
            <li key={choice.tool}>
              <ToolLine agent={agent} slug={choice.tool} enabled={choice.enabled} tool={bySlug.get(choice.tool)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function ToolLine({ agent, slug, enabled, tool }: { agent: Agent; slug: string; enabled: boolean; tool: Tool | undefined }) {
  const refused = tool && enabled && !trusts(agent.trust_level, tool.trust);
  return (
    <div className={classes.row} title={tool?.description}>
      <span className={classes.wrap}>
        {tool?.name ?? slug.replaceAll("_", " ")}
        <div className={classes.dim}>
          {!enabled
            ? "Switched off"
            : !tool
              ? "Not registered here"
              : refused
                ? `Refused: takes ${TRUST[tool.trust].label.toLowerCase()} trust`
                : EFFECTS[tool.effect].label}
        </div>
      </span>
    </div>
  );
}
