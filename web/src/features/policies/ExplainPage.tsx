/** What would happen if an agent made a call, and because of which rules. The question stands in the address. */
import { Autocomplete, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useAgents, useAgentTools } from "@/api/agents";
import { useChannels } from "@/api/channels";
import { useMe } from "@/api/me";
import { useModels } from "@/api/models";
import { useExplanation, type Explanation } from "@/api/policies";
import { useTools } from "@/api/tools";
import { useUsers } from "@/api/users";
import { label } from "@/lib/format";
import { isAdmin } from "@/lib/roles";
import { deciding, foundWords, ofVerdict } from "@/lib/verdicts";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";
import { StateDot } from "@/ui/StateDot";
import { Asked, detailOf, Layers } from "@/ui/Why";

import { ArgumentFields } from "./ArgumentFields";
import { fromSearch, hypothesisOf, NOBODY, type Search, sentence, toSearch, type Values } from "./asking";
import classes from "./ExplainPage.module.css";
import { ORDER } from "./fields";
import { useNames } from "./useNames";
import { ruleWords } from "./words";

const SETTLE_MS = 400;

export default function ExplainPage() {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const admin = isAdmin(useMe().data);
  const [values, setValues] = useState<Values>(() => fromSearch(search));
  const settle = useDebouncedCallback((next: Values) => {
    void navigate({ to: "/policies/explain", search: toSearch(next), replace: true });
  }, SETTLE_MS);
  const set = (more: Partial<Values>): void => {
    const next = { ...values, ...more };
    setValues(next);
    settle(next);
  };
  return (
    <div className={classes.page}>
      <PageHeader title="Explain a call" note="What would happen now, and why. Nothing is done.">
        <LinkAnchor to="/policies" className={classes.back}>Policies</LinkAnchor>
      </PageHeader>
      <div className={classes.scroll}>
        <div className={classes.columns}>
          <form className={classes.form} aria-label="The call" noValidate onSubmit={(event) => { event.preventDefault(); settle(values); settle.flush(); }}>
            <Question values={values} set={set} admin={admin} />
          </form>
          <section className={classes.answer} aria-label="The answer" aria-live="polite">
            <Answer search={search} admin={admin} />
          </section>
        </div>
      </div>
    </div>
  ); // prettier-ignore
}

interface QuestionProps {
  values: Values;
  set: (more: Partial<Values>) => void;
  admin: boolean;
}

function Question({ values, set, admin }: QuestionProps) {
  const agents = useAgents().data;
  const channels = useChannels().data;
  const people = useUsers().data;
  const me = useMe().data?.user.id;
  const tools = useToolOptions(values.agent);
  const schema = useTools().data?.find((one) => one.slug === values.tool)?.parameters;
  const known = useTools().isSuccess;
  const who = useMemo(() => {
    const others = (people ?? []).filter(({ id }) => id !== me).map(({ id, name }) => ({ value: id, label: name }));
    return [{ value: "", label: "You" }, ...others, { value: NOBODY, label: "Nobody, as when a schedule starts it" }];
  }, [people, me]);
  const where = [{ value: "", label: "Anywhere" }, ...(channels ?? []).map(({ id, name }) => ({ value: id, label: name }))];
  return (
    <>
      <Select
        label="Agent"
        placeholder="Choose an agent"
        data={(agents ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        searchable
        allowDeselect={false}
        value={values.agent}
        onChange={(agent) => set({ agent })}
      />
      <SegmentedControl
        aria-label="What it would use"
        value={values.what}
        onChange={(what) => set({ what: what })}
        data={[
          { value: "tool", label: "Uses a tool" },
          { value: "model", label: "Uses a model" },
        ]}
      />
      {values.what === "tool" ? (
        <>
          <Select
            label="Tool"
            placeholder="Choose a tool"
            data={tools}
            searchable
            allowDeselect={false}
            maxDropdownHeight={320}
            value={values.tool}
            onChange={(tool) => set({ tool, args: {} })}
          />
          {values.tool && known ? (
            <ArgumentFields key={values.tool} schema={schema ?? null} given={values.args} onChange={(args) => set({ args })} />
          ) : null}
        </>
      ) : (
        <ModelField value={values.model} onChange={(model) => set({ model })} />
      )}
      {admin ? (
        <Select label="Works for" data={who} searchable allowDeselect={false} value={values.user ?? ""} onChange={(user) => set({ user: user || null })} />
      ) : null}
      <Select label="In" data={where} searchable allowDeselect={false} value={values.channel ?? ""} onChange={(channel) => set({ channel: channel || null })} />
      <TextInput
        type="datetime-local"
        label="When"
        description="Empty: now."
        inputWrapperOrder={ORDER}
        value={values.at}
        onChange={(event) => set({ at: event.currentTarget.value })}
      />
    </>
  ); // prettier-ignore
}

function ModelField({ value, onChange }: { value: string; onChange: (model: string) => void }) {
  const models = useModels().data;
  const data = [...new Set(models?.providers.flatMap((one) => (one.configured && one.default_model ? [one.default_model] : [])))];
  return <Autocomplete label="Model" placeholder="anthropic/claude-sonnet-4-5" data={data} value={value} onChange={onChange} />;
}

/** The agent's own tools first. */
function useToolOptions(agent: string | null) {
  const all = useTools().data;
  const own = useAgentTools(agent ?? "").data;
  return useMemo(() => {
    const has = new Set(own?.filter(({ enabled }) => enabled).map(({ tool }) => tool));
    const options = (all ?? []).map(({ slug, name }) => ({ value: slug, label: name || label(slug) }));
    const mine = options.filter(({ value }) => has.has(value));
    const others = options.filter(({ value }) => !has.has(value));
    if (mine.length === 0) return others;
    return [{ group: "Its tools", items: mine }, { group: "Others", items: others }];
  }, [all, own]); // prettier-ignore
}

// ── the answer ─────────────────────────────────────────────────────────────────────────────────────────────────────

function Answer({ search, admin }: { search: Search; admin: boolean }) {
  const asked = useMemo(() => hypothesisOf(search, admin), [search, admin]);
  const found = useExplanation(asked);
  const names = useNames();
  if (!asked) return <EmptyState title="Choose an agent and what it would use.">The answer names every rule that has a say.</EmptyState>;
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} what="the answer" />;
  if (!found.data) return <ListSkeleton rows={6} label="Looking at the rules" />;
  return <Told found={found.data} search={search} agent={names.agent(asked.agent_id) ?? "The agent"} />;
}

function Told({ found, search, agent }: { found: Explanation; search: Search; agent: string }) {
  const names = useNames();
  const why = deciding(found.verdict, found.opinions);
  return (
    <>
      <StateDot {...ofVerdict(found.verdict)} />
      <p className={classes.sentence}>{sentence(found, search, agent)}</p>
      {why ? <p className={classes.reason}>{detailOf(why)}</p> : null}
      {found.ask ? <p className={classes.reason}><Asked ask={found.ask} /></p> : null}
      {found.redact.length > 0 ? <p className={classes.reason}>Taken out of the arguments first: {foundWords(found.redact)}.</p> : null}
      {found.misfit && found.verdict === "allow" ? <p className={classes.reason}>The tool itself would refuse these arguments. {found.misfit}</p> : null}
      <h2 className={classes.heading}>What each layer says</h2>
      <Layers
        all
        opinions={found.opinions}
        name={(one) => one.policy_id ? <Link to="/policies/$policyId" params={{ policyId: one.policy_id }}>{one.rule}</Link> : null}
      />
      {found.budgets.length > 0 ? (
        <>
          <h2 className={classes.heading}>It would count against</h2>
          <ul className={classes.budgets}>
            {found.budgets.map((one) => (
              <li key={`${one.layer} ${one.name}`}>
                {one.policy_id ? <Link to="/policies/$policyId" params={{ policyId: one.policy_id }}>{one.name}</Link> : one.name}
                <div className={classes.quiet}>{ruleWords(one.rule, names)}</div>
              </li>
            ))}
          </ul>
          <p className={classes.quiet}>Whether enough is left of these is not looked at here.</p>
        </>
      ) : null}
    </>
  ); // prettier-ignore
}
