/** The buttons of who may decide, and what they open: changing the arguments, a reason, a question. */
import { Button, Textarea } from "@mantine/core";
import { type KeyboardEvent, lazy, Suspense, useState } from "react";

import { useDecide, type Approval, type Wish } from "@/api/approvals";
import { ApiError } from "@/api/client";

import classes from "./Approval.module.css";
import { grantOf, Later, OFF, type LaterValues } from "./Later";
import { late, Withdraw } from "./Withdraw";

const EditArguments = lazy(() => import("./EditArguments"));

type Mode = "choose" | "edit" | "reject" | "ask_back";

interface Props {
  approval: Approval;
  /** Who decides. */
  me: string | null;
  onNotice: (words: string | null) => void;
  /** The arguments stand in fields, and need not stand above them, too. */
  onEditing: (editing: boolean) => void;
}

export function Decide({ approval, me, onNotice, onEditing }: Props) {
  const [mode, setMode] = useState<Mode>("choose");
  const [from, setFrom] = useState<Mode | null>(null); // where the focus goes back to
  const [later, setLater] = useState<LaterValues>(OFF);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const decide = useDecide(approval.id);

  function send(wish: Omit<Wish, "arguments_hash" | "grant">, hash = approval.arguments_hash): void {
    onNotice(null);
    setWrong({});
    const grant = wish.decision === "approve" ? grantOf(later, approval) : null;
    decide.mutate(
      { ...wish, arguments_hash: hash, ...(grant ? { grant } : {}) },
      {
        onError: (error) => {
          const fields = error instanceof ApiError && error.status === 422 ? error.fields() : {};
          setWrong(fields);
          if (Object.keys(fields).length === 0) onNotice(late(error) ?? "Couldn't send your decision. Try again in a moment.");
          if (error instanceof ApiError && error.code === "arguments_changed") leave();
        },
      },
    );
  }
  function leave(): void {
    setFrom(mode);
    setMode("choose");
    onEditing(false);
    setWrong({});
  }
  const stop = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || mode === "choose") return;
    event.preventDefault(); // closes this, and no panel around it
    event.stopPropagation();
    leave();
  };
  const open = (next: Mode) => () => {
    setMode(next);
    onEditing(next === "edit");
  };
  const busy = decide.isPending;
  return (
    <div onKeyDown={stop}>
      {mode === "choose" && (
        <div className={classes.form}>
          {approval.may.grant && <Later values={later} onChange={setLater} approval={approval} me={me} error={grantError(wrong)} />}
          <div className={classes.buttons}>
            <Button size="compact-md" loading={busy} onClick={() => send({ decision: "approve" })}>
              {later.on ? "Approve, and later calls" : "Approve"}
            </Button>
            <Button size="compact-md" variant="default" disabled={busy} autoFocus={from === "edit"} onClick={open("edit")}>
              Edit and approve
            </Button>
            <Button size="compact-md" variant="default" disabled={busy} autoFocus={from === "reject"} onClick={open("reject")}>
              Reject
            </Button>
            <Button size="compact-md" variant="default" disabled={busy} autoFocus={from === "ask_back"} onClick={open("ask_back")}>
              Ask back
            </Button>
            {approval.may.withdraw && <Withdraw approval={approval} onNotice={onNotice} className={classes.apart} />}
          </div>
        </div>
      )}
      {mode === "edit" && (
        <Suspense fallback={null}>
          <EditArguments approval={approval} wrong={wrong} busy={busy} onCancel={leave}
            onSave={(changed, hash) => send({ decision: "approve", arguments: changed }, hash)} /> {/* prettier-ignore */}
        </Suspense>
      )}
      {mode === "reject" && (
        <Reason label="Why not?" help={`${approval.agent_name ?? "The agent"} reads this. It may be left empty.`} verb="Reject" busy={busy}
          wrong={wrong["reason"]} onCancel={leave} onSave={(reason) => send({ decision: "reject", reason })} /> // prettier-ignore
      )}
      {mode === "ask_back" && (
        <Reason label="What do you want to know?" help={`${approval.agent_name ?? "The agent"} reads this instead of making the call, and may ask again.`}
          verb="Ask" busy={busy} needed wrong={wrong["reason"]} onCancel={leave} onSave={(reason) => send({ decision: "ask_back", reason })} /> // prettier-ignore
      )}
    </div>
  );
}

function grantError(wrong: Record<string, string>): string | undefined {
  return wrong["grant.until"] ?? wrong["grant.channel"] ?? wrong["grant.person"] ?? wrong["grant"];
}

interface ReasonProps {
  label: string;
  help: string;
  verb: string;
  busy: boolean;
  needed?: boolean;
  wrong: string | undefined;
  onCancel: () => void;
  onSave: (reason: string) => void;
}

/** Words for the agent. Enter sends, as everywhere; Shift and Enter begin a new line. */
function Reason({ label, help, verb, busy, needed = false, wrong, onCancel, onSave }: ReasonProps) {
  const [words, setWords] = useState("");
  const [missing, setMissing] = useState(false);
  const save = () => {
    if (busy) return;
    if (needed && words.trim() === "") setMissing(true);
    else onSave(words.trim());
  };
  return (
    <form className={classes.form} noValidate onSubmit={(event) => { event.preventDefault(); save(); }}>
      <Textarea
        label={label}
        description={help}
        autoFocus
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        value={words}
        error={missing ? "Write the question." : wrong}
        onChange={(event) => { setWords(event.currentTarget.value); setMissing(false); }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          save();
        }}
      />
      <div className={classes.buttons}>
        <Button size="compact-md" type="submit" loading={busy}>{verb}</Button>
        <Button size="compact-md" variant="default" onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  ); // prettier-ignore
}
