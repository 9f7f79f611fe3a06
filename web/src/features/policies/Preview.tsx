/** What a change would have made of the last seven days, told before it is saved. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { ApiError } from "@/api/client";
import { usePreview, type Draft, type Preview as Found } from "@/api/policies";
import { count, label, plural, shortModel } from "@/lib/format";
import { ofVerdict, type Verdict } from "@/lib/verdicts";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { StateDot } from "@/ui/StateDot";
import { TimeAgo } from "@/ui/TimeAgo";

import { Section } from "./fields";
import classes from "./PolicyForm.module.css";
import { changed, sumWords } from "./preview";
import type { Names } from "./words";

interface Props {
  /** What is asked about; null while it cannot be: something is wrong with it, or nothing has changed. */
  draft: Draft | null;
  /** Why there is nothing to ask about. */
  without: string;
  names: Names;
}

export function Preview({ draft, without, names }: Props) {
  return (
    <Section title="What this would have changed in the last 7 days">
      {draft ? <Asked draft={draft} names={names} /> : <p className={classes.quiet}>{without}</p>}
    </Section>
  );
}

function Asked({ draft, names }: { draft: Draft; names: Names }) {
  const preview = usePreview(draft);
  if (preview.error) {
    const refused = preview.error instanceof ApiError && preview.error.status > 0 && preview.error.status < 500;
    if (!refused) return <ErrorState inline error={preview.error} retry={() => void preview.refetch()} what="the last 7 days" />;
    return <p className={classes.quiet}>It can’t be saved like this. {preview.error.message}</p>;
  }
  if (!preview.data) return <ListSkeleton rows={3} label="Looking at the last 7 days" />;
  return (
    <div className={classes.preview} aria-busy={preview.isPlaceholderData} data-old={preview.isPlaceholderData || undefined}>
      <Told found={preview.data} names={names} />
    </div>
  );
}

function Told({ found, names }: { found: Found; names: Names }) {
  return (
    <>
      <div role="status">
        <p className={classes.sum}>{sumWords(found)}</p>
      </div>
      {found.shifts.length > 0 ? (
        <ul className={classes.shifts}>
          {found.shifts.map(({ before, after, count: calls }) => (
            <li key={`${before} ${after}`}>
              <span className={classes.number}>{count(calls)}</span>
              <Turned before={before} after={after} />
            </li>
          ))}
        </ul>
      ) : null}
      <Examples found={found} names={names} />
      <Remarks found={found} names={names} />
    </>
  );
}

function Turned({ before, after }: { before: Verdict; after: Verdict }): ReactNode {
  if (before === after) return <span><StateDot {...ofVerdict(after)} />, on other terms</span>; // prettier-ignore
  return (
    <span>
      <StateDot {...ofVerdict(before)} /> <span className={classes.dim}>now, then</span> <StateDot {...ofVerdict(after)} />
    </span>
  );
}

function Examples({ found, names }: { found: Found; names: Names }) {
  const hidden = changed(found) - found.examples.length;
  if (found.examples.length === 0) {
    return hidden > 0 ? <p className={classes.quiet}>They were in conversations you may not see.</p> : null;
  }
  return (
    <>
      <ul className={classes.examples} aria-label="Examples">
        {found.examples.map((one) => (
          <li key={`${one.interaction_id} ${one.step_seq}`}>
            <div className={classes.exampleHead}>
              <Link to="/activity/$interactionId" params={{ interactionId: one.interaction_id }} search={{ step: one.step_seq }}>
                {names.agent(one.agent_id) ?? "An agent"}, {one.tool ? label(one.tool) : shortModel(one.model ?? "a model")}
              </Link>
              <TimeAgo when={one.at} className={classes.dim ?? ""} />
            </div>
            <div className={classes.exampleWhat}>
              <Turned before={one.before} after={one.after} />
              {one.detail ? <span className={classes.dim}>{one.detail}</span> : null}
            </div>
          </li>
        ))}
      </ul>
      {hidden > 0 ? <p className={classes.quiet}>And {count(hidden)} more.</p> : null}
    </>
  );
}

/** What whoever writes it should know beside that. */
function Remarks({ found: { ceilings, personal_ceilings: people, warnings }, names }: { found: Found; names: Names }) {
  if (ceilings.length === 0 && people === 0 && warnings.length === 0) return null;
  return (
    <ul className={classes.remarks} aria-label="To know">
      {warnings.map((words) => (
        <li key={words}>{words}</li>
      ))}
      {ceilings.map((one) => (
        <li key={one.policy_id}>
          <Link to="/policies/$policyId" params={{ policyId: one.policy_id }}>{one.name}</Link>
          {one.team_id ? ` (${names.team(one.team_id) ?? "a team"})` : ""} {one.detail}. Calls are held to the stricter of both.
        </li>
      ))}
      {people > 0 ? <li>{plural(people, "person has", "people have")} policies of their own that promise more than this gives.</li> : null}
    </ul>
  ); // prettier-ignore
}
