/** The exact prompt of a model call. It is not stored: it is rebuilt from the journal when somebody asks. */
import { Button } from "@mantine/core";
import { useState } from "react";

import { usePrompt } from "@/api/interactions";
import { plural } from "@/lib/format";
import { CopyButton } from "@/ui/CopyButton";
import { ErrorState } from "@/ui/ErrorState";
import { JsonView } from "@/ui/JsonView";
import { ListSkeleton } from "@/ui/ListSkeleton";

import { blocksOf, type Piece } from "./prompt";
import classes from "./StepPanel.module.css";

export function Prompt({ interactionId, seq }: { interactionId: string; seq: number }) {
  const [wanted, setWanted] = useState(false);
  const { data, error, isPending, refetch } = usePrompt(interactionId, seq, wanted);
  if (!wanted) {
    return (
      <div>
        <Button variant="default" size="xs" onClick={() => setWanted(true)}>
          Show the exact prompt
        </Button>
      </div>
    );
  }
  if (error) return <ErrorState inline error={error} retry={() => void refetch()} what="the prompt" />;
  if (isPending) return <ListSkeleton rows={4} label="Rebuilding the prompt" />;
  return (
    <section className={classes.prompt}>
      <div className={classes.promptHead}>
        <h3>{data.exact ? "Exact prompt" : "Prompt, as far as it can be rebuilt"}</h3>
        <CopyButton text={() => JSON.stringify(data.request, null, 2)} label="Copy the prompt as JSON" />
      </div>
      <p className={classes.none}>{[`For ${data.request.model}.`, ...data.notes].join(" ")}</p>
      <ol className={classes.messages}>
        {blocksOf(data.request).map((block, index) => (
          <li key={index} className={classes.message} data-role={block.role}>
            <p className={classes.role}>{block.title}</p>
            {block.pieces.map((piece, at) => (
              <PieceView key={at} piece={piece} />
            ))}
          </li>
        ))}
      </ol>
      {data.request.tools.length > 0 ? (
        <details className={classes.stored}>
          <summary>{plural(data.request.tools.length, "tool")} offered</summary>
          <JsonView value={data.request.tools} label="Tools" />
        </details>
      ) : null}
    </section>
  );
}

function PieceView({ piece }: { piece: Piece }) {
  if (piece.kind === "text") return <p className={classes.text}>{piece.text}</p>;
  if (piece.kind === "note") return <p className={classes.none}>{piece.text}</p>;
  return (
    <>
      <p className={classes.none}>{piece.title}</p>
      {typeof piece.value === "string" ? <p className={classes.text}>{piece.value}</p> : <JsonView value={piece.value} label={piece.title} height={200} />}
    </>
  );
}
