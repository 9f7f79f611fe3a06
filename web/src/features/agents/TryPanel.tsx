/** A small chat with the draft as it stands in the form, clearly a trial: nothing of it becomes an agent or a message. */
import { ActionIcon, Button, Textarea } from "@mantine/core";
import { IconRefresh, IconSend } from "@tabler/icons-react";
import { useEffect, useRef, useState, type CSSProperties, type KeyboardEvent } from "react";

import { useTryAgent } from "@/api/agents";
import { ApiError } from "@/api/client";
import { EmptyState } from "@/ui/EmptyState";
import { Panel } from "@/ui/Panel";

import { check, toNew } from "./form";
import { TrialReply } from "./TrialReply";
import classes from "./TryPanel.module.css";
import type { Form } from "./useAgentForm";

interface Props {
  form: Form;
  agentId: string | null;
  onClose: () => void;
}

interface Said {
  content: string;
  /** The turn that answers; null while it is sent or when it could not be. */
  turn: string | null;
  error: string | null;
}

export function TryPanel({ form, agentId, onClose }: Props) {
  const [said, setSaid] = useState<readonly Said[]>([]);
  const [thread, setThread] = useState<string | null>(null);
  const [text, setText] = useState("");
  const trial = useTryAgent();
  const talk = useRef<HTMLDivElement>(null);
  const name = form.values.name.trim() || "The draft";

  useEffect(() => {
    talk.current?.scrollTo({ top: talk.current.scrollHeight });
  }, [said]);

  function send(): void {
    const content = text.trim();
    if (!content || trial.isPending) return;
    const wrong = Object.entries(check(form.values)).filter(([field]) => field !== "name");
    const at = said.length;
    const settle = (change: Partial<Said>) =>
      setSaid((list) => list.map((each, index) => (index === at ? { ...each, ...change } : each)));
    setSaid([...said, { content, turn: null, error: wrong[0] ? `Mend the form first: ${wrong[0][1]}` : null }]);
    setText("");
    if (wrong.length > 0) {
      form.validate();
      return;
    }
    const agent = { ...toNew(form.values), name: form.values.name.trim() || "Draft" };
    trial.mutate(
      { agent, content, agentId, threadId: thread },
      {
        onSuccess: (started) => {
          setThread(started.thread_id);
          settle({ turn: started.interaction_id });
        },
        onError: (error) => settle({ error: error instanceof ApiError ? error.detail : "It could not be sent. Try again." }),
      },
    );
  }

  function restart(): void {
    setSaid([]);
    setThread(null);
  }

  const again = said.length > 0 && (
    <ActionIcon aria-label="Start the trial over" title="Start over" onClick={restart}>
      <IconRefresh size={18} stroke={1.5} />
    </ActionIcon>
  );
  return (
    <Panel title={`Trial of ${name}`} onClose={onClose} actions={again}>
      <div className={classes.whole} style={{ "--accent": form.values.accent_colour } as CSSProperties}>
        <p className={classes.note}>A trial of the form as it stands: nobody else sees it, nothing is saved. Its tools are real.</p>
        <div ref={talk} className={classes.talk} role="log" aria-label="Trial" tabIndex={0}>
          {said.length === 0 && <EmptyState title="Say something to the draft.">Change the form at any time; the next answer uses it.</EmptyState>}
          {said.map((each, at) => (
            <TrialTurn key={at} said={each} />
          ))}
        </div>
        <Box text={text} onText={setText} onSend={send} busy={trial.isPending} name={name} />
      </div>
    </Panel>
  );
}

function TrialTurn({ said }: { said: Said }) {
  return (
    <>
      <div className={classes.mine}>{said.content}</div>
      {said.error && (
        <div className={classes.failed} role="alert">
          {said.error}
        </div>
      )}
      {!said.error && (said.turn ? <TrialReply turn={said.turn} /> : <div className={classes.reply}><span className={classes.line}>Sending…</span></div>)}
    </>
  );
}

interface BoxProps {
  text: string;
  onText: (text: string) => void;
  onSend: () => void;
  busy: boolean;
  name: string;
}

function Box({ text, onText, onSend, busy, name }: BoxProps) {
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    onSend();
  }
  return (
    <div className={classes.box}>
      <Textarea
        aria-label={`Message to ${name}`}
        placeholder="Message to the draft"
        autosize
        minRows={1}
        maxRows={8}
        autoFocus
        value={text}
        onChange={(event) => onText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Button px="sm" aria-label="Send" disabled={!text.trim()} loading={busy} onClick={onSend}>
        <IconSend size={18} stroke={1.5} />
      </Button>
    </div>
  );
}
