/** The form itself: sections, saving, what others saved meanwhile, leaving with changes, trying before saving. */
import { Alert, Button, Group } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useRef, useState } from "react";

import { useCreateAgent, useUpdateAgent, type Agent, type AgentTool, type ToolChoice } from "@/api/agents";
import { ApiError } from "@/api/client";
import { useModels } from "@/api/models";
import { useTools } from "@/api/tools";
import { LeaveGuard } from "@/ui/LeaveGuard";
import { PageHeader } from "@/ui/PageHeader";
import { LinkButton } from "@/ui/links";
import { notifyDone } from "@/ui/notify";

import classes from "./AgentForm.module.css";
import { LimitsSection, MemorySection, ModelSection, PromptSection } from "./BehaviourSections";
import { DangerSection } from "./DangerSection";
import { type AgentValues, BLANK, type Errors, fromAgent, serverErrors, toChange, toNew, toolsChanged } from "./form";
import { IdentitySection } from "./IdentitySection";
import { ToolsSection } from "./ToolsSection";
import { TryPanel } from "./TryPanel";
import { useAgentForm, type Form } from "./useAgentForm";

interface Props {
  agent: Agent | null;
  tools: readonly AgentTool[];
}

export function AgentForm({ agent, tools }: Props) {
  const [initial] = useState(() => (agent ? fromAgent(agent, tools) : BLANK));
  const form = useAgentForm(initial);
  const [trying, setTrying] = useState(false);
  const saving = useSaving(agent, form, initial);
  const models = useModels();
  const known = useTools();
  const { setFieldValue } = form;
  const chooseTools = useCallback((chosen: ToolChoice[]) => setFieldValue("tools", chosen), [setFieldValue]);
  const chooseTrust = useCallback((trust: AgentValues["trust_level"]) => setFieldValue("trust_level", trust), [setFieldValue]);
  const dirty = form.isDirty();
  return (
    <div className={classes.page}>
      <form className={classes.main} onSubmit={form.onSubmit(saving.save, focusFirstError)} noValidate>
        <PageHeader title={agent ? `Edit ${agent.name}` : "New agent"} note={dirty ? "Not saved yet" : undefined}>
          <Button
            variant="subtle"
            color="gray"
            px="sm"
            aria-expanded={trying}
            onClick={() => setTrying(!trying)}
          >
            Try it
          </Button>
          <Back agent={agent} />
          <Button type="submit" loading={saving.busy} disabled={Boolean(agent) && !dirty}>
            {agent ? "Save" : "Create"}
          </Button>
        </PageHeader>
        <Notices saving={saving} agent={agent} />
        <div className={classes.scroll}>
          <div className={classes.form}>
            <IdentitySection form={form} isNew={!agent} />
            <PromptSection form={form} />
            <ModelSection form={form} models={models.data} />
            <ToolsSection
              tools={known}
              chosen={form.values.tools}
              before={initial.tools}
              trust={form.values.trust_level}
              error={typeof form.errors["tools"] === "string" ? form.errors["tools"] : undefined}
              onChoose={chooseTools}
              onTrust={chooseTrust}
            />
            <MemorySection form={form} />
            <LimitsSection form={form} />
            {agent && <DangerSection agent={agent} onGone={saving.leave} onChanged={saving.onChanged} />}
          </div>
        </div>
      </form>
      {trying && <TryPanel form={form} agentId={agent?.id ?? null} onClose={() => setTrying(false)} />}
      <LeaveGuard blocked={() => !saving.leaving.current && form.isDirty()} />
    </div>
  );
}

function Back({ agent }: { agent: Agent | null }) {
  return agent ? (
    <LinkButton visibleFrom="sm" variant="default" to="/agents/$agentId" params={{ agentId: agent.id }}>
      Cancel
    </LinkButton>
  ) : (
    <LinkButton visibleFrom="sm" variant="default" to="/agents">
      Cancel
    </LinkButton>
  );
}

type Saving = ReturnType<typeof useSaving>;

function useSaving(agent: Agent | null, form: Form, initial: Form["values"]) {
  const navigate = useNavigate();
  const create = useCreateAgent();
  const update = useUpdateAgent(agent?.id ?? "");
  const [seen, setSeen] = useState(agent?.updated_at);
  const leaving = useRef(false);
  const [general, setGeneral] = useState<string | null>(null);
  const [conflict, setConflict] = useState(false);

  const leave = useCallback(() => {
    leaving.current = true;
  }, []);

  function done(saved: Agent): void {
    leave();
    notifyDone(agent ? `${saved.name} is saved. Its next turn uses it.` : `${saved.name} is ready.`);
    void navigate({ to: "/agents/$agentId", params: { agentId: saved.id } });
  }

  function failed(error: unknown): void {
    if (!(error instanceof ApiError)) { setGeneral("Something in this page failed. Nothing is lost: try again."); return; }
    if (error.status === 409 && error.code === "wrong_state") { setConflict(true); return; }
    const taken = error.code === "already_exists" ? { slug: error.detail } : null;
    const { "": rest, ...fields }: Errors = taken ?? serverErrors(error.fields());
    form.setErrors(fields);
    if (Object.keys(fields).length > 0) focusFirstError();
    setGeneral(rest ?? (Object.keys(fields).length > 0 ? null : error.detail));
  }

  const onChanged = useCallback((changed: Agent) => setSeen(changed.updated_at), []);

  function save(values: Form["values"], over = false): void {
    setGeneral(null);
    setConflict(false);
    if (!agent) { create.mutate(toNew(values), { onSuccess: done, onError: failed }); return; }
    const tools = toolsChanged(values, initial) ? values.tools : undefined;
    const edit = { change: toChange(values, initial), tools, seen: over ? undefined : seen, onChanged };
    update.mutate(edit, { onSuccess: done, onError: failed });
  }

  const newer = Boolean(agent && seen && agent.updated_at > seen);
  return {
    save: (values: Form["values"]) => save(values),
    saveOver: () => save(form.values, true),
    busy: create.isPending || update.isPending,
    general,
    conflict: conflict || newer,
    leaving,
    leave,
    onChanged,
  };
}

function Notices({ saving, agent }: { saving: Saving; agent: Agent | null }) {
  const icon = useMemo(() => <IconAlertTriangle size={18} stroke={1.5} />, []);
  if (saving.conflict && agent)
    return (
      <Alert className={classes.notice} mt="md" color="yellow" icon={icon} title="Somebody changed this agent meanwhile" role="alert">
        Your fields are still here and not saved. Saving sends only what you changed.
        <Group mt="sm" gap="sm">
          <Button size="xs" variant="default" onClick={() => window.location.reload()}>
            Discard mine, show theirs
          </Button>
          <Button size="xs" variant="default" loading={saving.busy} onClick={saving.saveOver}>
            Save mine over it
          </Button>
        </Group>
      </Alert>
    );
  if (!saving.general) return null;
  return (
    <Alert className={classes.notice} mt="md" color="red" icon={icon} title="Not saved" role="alert">
      {saving.general}
    </Alert>
  );
}

/** Moves to the first field that is wrong, once its message stands there. */
function focusFirstError(): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>("form [aria-invalid='true']");
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  });
}
