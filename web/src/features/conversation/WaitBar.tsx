import { Button } from "@mantine/core";

import { useAnswerOutcome } from "@/api/turns";
import { label } from "@/lib/format";
import type { ReplyWait } from "@/lib/stream";
import { notifyError } from "@/ui/notify";

import classes from "./WaitBar.module.css";

interface Props {
  channelId: string;
  turnId: string;
  wait: ReplyWait;
}

/** The question, with the tool's name as people know it. */
function inWords({ prompt, tool }: ReplyWait): string {
  if (!prompt) return `${label(tool ?? "This")} waits for an answer.`;
  return tool && prompt.startsWith(tool) ? `${label(tool)}${prompt.slice(tool.length)}` : prompt;
}

/** What a turn waits for: a quiet hatched bar, with the buttons where an answer can be given here. */
export function WaitBar({ channelId, turnId, wait }: Props) {
  const answer = useAnswerOutcome(channelId, turnId);
  const say = (happened: boolean, retry: boolean) =>
    answer.mutate({ wait: wait.id, happened, retry }, { onError: (error) => notifyError(error, "Couldn't take the answer") });
  return (
    <div className={classes.bar} role="group" aria-label="Waits for an answer">
      <p className={classes.words}>{inWords(wait)}</p>
      {wait.kind === "outcome" && (
        <div className={classes.buttons}>
          <Button size="compact-sm" variant="default" disabled={answer.isPending} onClick={() => say(true, false)}>
            Happened
          </Button>
          <Button size="compact-sm" variant="default" disabled={answer.isPending} onClick={() => say(false, true)}>
            Did not happen, try again
          </Button>
          <Button size="compact-sm" variant="default" disabled={answer.isPending} onClick={() => say(false, false)}>
            Did not happen
          </Button>
        </div>
      )}
    </div>
  );
}
