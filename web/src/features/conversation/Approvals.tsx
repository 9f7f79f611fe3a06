import { lazy, Suspense, useState } from "react";

import { label } from "@/lib/format";
import type { ReplyWait } from "@/lib/stream";

import classes from "./WaitBar.module.css";

const ApprovalCard = lazy(() => import("@/ui/approval/ApprovalCard"));

/** The calls of a turn that wait for approval; a card stays, as what came of it, while one looks on. */
export function Approvals({ waits }: { waits: readonly ReplyWait[] }) {
  const [seen, setSeen] = useState<readonly ReplyWait[]>([]);
  const fresh = waits.filter((wait) => wait.kind === "approval" && !seen.some((one) => one.id === wait.id));
  if (fresh.length > 0) setSeen([...seen, ...fresh]);
  return seen.map((wait) => <Approval key={wait.id} id={wait.id} words={approvalWords(wait)} announced />);
}

interface Props {
  id: string;
  words: string;
  announced?: boolean;
}

/** One request for approval, whose code is fetched with the first of them. */
export function Approval(props: Props) {
  return (
    <Suspense fallback={<div className={classes.bar} aria-busy="true"><p className={classes.words}>{props.words}</p></div>}>
      <ApprovalCard {...props} />
    </Suspense>
  ); // prettier-ignore
}

function approvalWords({ tool }: ReplyWait): string {
  return `${label(tool ?? "A call")} waits for approval.`;
}
