import { Button, Checkbox, NativeSelect, Slider, TagsInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Link } from "@tanstack/react-router";

import type { Agent } from "@/api/agents";
import { ApiError, type Schemas } from "@/api/client";
import { useRegister, useRegistration, type Registration } from "@/api/registry";
import { useRoles } from "@/api/roles";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";

import classes from "./Access.module.css";
import { Section } from "./Section";
import { levelOf, TRUST } from "./words";

const TIERS: { value: Schemas["RegistryTier"]; label: string }[] = [
  { value: "operator", label: "Those who run the platform" },
  { value: "department", label: "A department" },
  { value: "personal", label: "One person" },
];

const CAPABILITIES = [
  { value: "streaming", label: "Answers piece by piece" },
  { value: "file_io", label: "Reads and writes files" },
  { value: "cost_tracking", label: "Says what its work costs" },
];

interface Values {
  registry_tier: Schemas["RegistryTier"];
  autonomy_score: number;
  skills: string[];
  capabilities: string[];
  role_id: string;
}

/** How the agent is registered; without that it does not work. */
export function Registered({ agent }: { agent: Agent }) {
  const registration = useRegistration(agent.id);
  return (
    <Section title="Registration" help="What it is for and how much it may do alone. The trust level of its settings decides which tools it may use.">
      {registration.data !== undefined ? (
        <Form key={agent.id} agent={agent} known={registration.data} />
      ) : registration.isError ? (
        <ErrorState inline error={registration.error} what="its registration" retry={() => void registration.refetch()} />
      ) : (
        <ListSkeleton rows={4} height={52} label="Loading its registration" />
      )}
    </Section>
  );
}

function valuesOf(known: Registration | null): Values {
  return {
    registry_tier: known?.registry_tier ?? "department",
    autonomy_score: known?.autonomy_score ?? 5,
    skills: [...(known?.skills ?? [])],
    capabilities: [...(known?.capabilities ?? [])],
    role_id: known?.role_id ?? "",
  };
}

function Form({ agent, known }: { agent: Agent; known: Registration | null }) {
  const register = useRegister(agent.id);
  const roles = useRoles().data ?? [];
  const form = useForm<Values>({ initialValues: valuesOf(known), clearInputErrorOnChange: true });
  function save(values: Values): void {
    const capabilities = values.capabilities as NonNullable<Schemas["NewRegistration"]["capabilities"]>;
    register.mutate(
      { ...values, capabilities, role_id: values.role_id || null },
      {
        onSuccess: (saved) => {
          form.setValues(valuesOf(saved));
          form.resetDirty(valuesOf(saved));
        },
        onError: (error) => {
          const fields = error instanceof ApiError ? error.fields() : {};
          const at = Object.fromEntries(Object.entries(fields).map(([path, reason]) => [path.split(".")[0] ?? "", reason]));
          form.setErrors(at);
          if (Object.keys(at).length === 0) notifyError(error, "Couldn't register it");
        },
      },
    );
  }
  const dirty = form.isDirty();
  return (
    <form className={classes.registration} noValidate onSubmit={form.onSubmit(save)} aria-label="Registration">
      {known === null && <p role="status" className={classes.note}>It is not registered, so it does not work until it is.</p>}
      <div className={classes.pair}>
        <NativeSelect label="Whom it serves" data={TIERS} {...form.getInputProps("registry_tier")} />
        <NativeSelect label="Worker role" inputWrapperOrder={["label", "input", "description", "error"]} {...form.getInputProps("role_id")}
          data={[{ value: "", label: "None: no role bounds it" }, ...roles.map((role) => ({ value: role.id, label: role.name }))]}
          description={<Link to="/settings/$section" params={{ section: "roles" }}>See the roles</Link>} />
      </div>
      <Score agent={agent} value={form.values.autonomy_score} onChange={(score) => form.setFieldValue("autonomy_score", score)} />
      <TagsInput label="Skills" description="What it is good at, in single words. Enter adds one." {...form.getInputProps("skills")} />
      <Checkbox.Group label="Capabilities" {...form.getInputProps("capabilities")}>
        <div className={classes.checks}>
          {CAPABILITIES.map((one) => <Checkbox key={one.value} {...one} />)}
        </div>
      </Checkbox.Group>
      <div>
        <Button type="submit" loading={register.isPending} disabled={!dirty && known !== null}>{known === null ? "Register" : "Save"}</Button>
      </div>
    </form>
  ); // prettier-ignore
}

function Score({ agent, value, onChange }: { agent: Agent; value: number; onChange: (score: number) => void }) {
  const level = levelOf(value);
  const own = agent.trust_level;
  const same = level === own;
  return (
    <div>
      <div id="autonomy-score" className={classes.label}>Autonomy score: {value} of 10</div>
      <Slider min={1} max={10} step={1} value={value} onChange={onChange} label={null} maw={360} thumbProps={{ "aria-labelledby": "autonomy-score" }}
        marks={[{ value: 1 }, { value: 3 }, { value: 6 }, { value: 9 }]} restrictToMarks={false} />
      <p className={classes.note}>
        That goes with trust {TRUST[level].label.toLowerCase()}
        {same ? ", which is the agent’s own." : <>; the agent’s own is {TRUST[own].label.toLowerCase()}, and that is what counts.{" "}
          <Link to="/agents/$agentId/edit" params={{ agentId: agent.id }}>Change it</Link></>}
      </p>
    </div>
  ); // prettier-ignore
}
