/** What a turn waits for: who is asked, since when, and the buttons that answer. */
import { Button, Group, TextInput } from "@mantine/core";
import { lazy, Suspense, useState } from "react";

import { useAnswerWait, type Answer, type Wait } from "@/api/interactions";
import { label } from "@/lib/format";
import { notifyError } from "@/ui/notify";
import { JsonView } from "@/ui/JsonView";
import { TimeAgo } from "@/ui/TimeAgo";

import { waitAnswer, waitTitle } from "./steps";
import classes from "./WaitCard.module.css";

const ApprovalCard = lazy(() => import("@/ui/approval/ApprovalCard"));

interface Props {
  wait: Wait;
  /** Without the arguments, where they stand beside it anyway. */
  bare?: boolean;
}

export function WaitCard({ wait, bare = false }: Props) {
  const plain = <Plain wait={wait} bare={bare} />;
  if (wait.kind !== "approval" || !wait.ask) return plain;
  return (
    <Suspense fallback={plain}>
      <ApprovalCard id={wait.id} words={wait.prompt} announced={!bare} />
    </Suspense>
  );
}

function Plain({ wait, bare }: Props) {
  const answered = waitAnswer(wait);
  const payload = wait.payload["arguments"];
  return (
    <div className={classes.card} data-open={wait.state === "open" || undefined}>
      <p className={classes.meta}>
        {waitTitle(wait)}, {wait.resolved_at ? "answered " : ""}
        <TimeAgo when={wait.resolved_at ?? wait.created_at} />
      </p>
      <p className={classes.prompt}>{inWords(wait)}</p>
      {answered ? <p className={classes.answer}>{answered}</p> : null}
      {payload && !bare && wait.state === "open" ? <JsonView value={payload} label="Arguments" height={160} /> : null}
      {wait.state === "open" && wait.kind === "outcome" ? <Buttons wait={wait} /> : null}
    </div>
  );
}

/** The question, with the tool's name as people know it. */
function inWords(wait: Wait): string {
  return wait.tool && wait.prompt.startsWith(wait.tool) ? `${label(wait.tool)}${wait.prompt.slice(wait.tool.length)}` : wait.prompt;
}

function Buttons({ wait }: { wait: Wait }) {
  const { mutate, isPending, variables } = useAnswerWait();
  const [result, setResult] = useState("");
  const answer = (body: Answer): void =>
    mutate({ wait, answer: body }, { onError: (error) => notifyError(error, "Couldn't answer") });
  const busy = (happened: boolean, retry: boolean): boolean =>
    isPending && variables.answer.happened === happened && Boolean(variables.answer.retry) === retry;
  return (
    <div className={classes.buttons}>
      <TextInput
        size="xs"
        label="What it gave, if you know"
        value={result}
        onChange={(event) => setResult(event.currentTarget.value)}
      />
      <Group gap="xs">
        <Button size="xs" disabled={isPending} loading={busy(true, false)}
          onClick={() => answer({ happened: true, ...(result.trim() ? { result: result.trim() } : {}) })}>
          It happened
        </Button>
        <Button size="xs" variant="default" disabled={isPending} loading={busy(false, true)}
          onClick={() => answer({ happened: false, retry: true })}>
          It did not, do it again
        </Button>
        <Button size="xs" variant="default" disabled={isPending} loading={busy(false, false)}
          onClick={() => answer({ happened: false, retry: false })}>
          It did not, leave it
        </Button>
      </Group>
    </div>
  ); // prettier-ignore
}
