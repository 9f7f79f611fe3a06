/** A call that waits for a person: what an agent wants to do, why that is asked, who decides, and the buttons to. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";

import { useApproval, type Approval } from "@/api/approvals";
import { ApiError } from "@/api/client";
import { useMe } from "@/api/me";
import { useTools, type Tool } from "@/api/tools";
import { useUsers } from "@/api/users";
import { approvedBy, because, editor, outcome, type People, progressWords, said, wanted, whoDecides } from "@/lib/approvals";
import { ordered } from "@/lib/argumentForm";
import { shorten } from "@/lib/format";
import type { Meaning } from "@/lib/states";
import { keyArgument } from "@/lib/trail";
import { ErrorState } from "@/ui/ErrorState";
import { Fact } from "@/ui/Fact";
import { StateDot } from "@/ui/StateDot";
import { TimeAgo } from "@/ui/TimeAgo";

import classes from "./Approval.module.css";
import { Arguments } from "./Arguments";
import { Decide } from "./Decide";
import { Withdraw } from "./Withdraw";

interface Props {
  /** Of the wait. */
  id: string;
  /** What is known without asking: stands here until more is known, and for who may not know more. */
  words: string;
  /** Whether screen readers are told that it is here, and what came of it. */
  announced?: boolean;
  /** Whether to say where the call is made: on pages that are somewhere else. */
  placed?: boolean;
}

export default function ApprovalCard({ id, words, announced = false, placed = false }: Props) {
  const query = useApproval(id);
  const people = usePeople();
  if (query.data) return <Card approval={query.data} people={people} announced={announced} placed={placed} />;
  const hidden = query.error instanceof ApiError && (query.error.status === 404 || query.error.status === 403);
  if (query.isError && !hidden) {
    return <ErrorState inline error={query.error} retry={() => void query.refetch()} what="what has to be approved" />;
  }
  return (
    <div className={classes.card} aria-busy={query.isPending}>
      <div className={classes.head}>
        <p className={classes.title}>
          <span>{words}</span>
        </p>
      </div>
    </div>
  );
}

function usePeople(): People {
  const me = useMe().data?.user.id ?? null;
  const users = useUsers().data;
  return useMemo(() => {
    const names = new Map(users?.map((user) => [user.id, user.name]));
    return { me, name: (id) => names.get(id) };
  }, [me, users]);
}

interface CardProps {
  approval: Approval;
  people: People;
  announced: boolean;
  placed: boolean;
}

function Card({ approval, people, announced, placed }: CardProps) {
  const root = useRef<HTMLDivElement>(null);
  const heading = useId();
  const [notice, setNotice] = useState<string | null>(null);
  const [opened, setOpened] = useState(false);
  const tool = useTools().data?.find((one) => one.slug === approval.tool);
  const open = approval.state === "open";
  const mine = open && approval.may.decide;
  useKeptFocus(root, `${approval.state} ${mine}`);
  const told = useTold(announced, outcome(approval, people) ?? `${wanted(approval)}.${mine ? " It waits for your approval." : ""}`);
  const whole = mine || opened;
  return (
    <div ref={root} role="group" aria-labelledby={heading} tabIndex={-1} className={classes.card}>
      <div role="status" className={classes.unseen}>
        {told}
      </div>
      <div className={classes.head} data-over={whole || undefined} data-closed={!open || undefined}>
        <Title id={heading} approval={approval} people={people} about={whole ? "" : telling(approval, tool?.parameters)} whole={whole} />
        {!mine && (
          <div className={classes.headEnd}>
            {open && approval.may.withdraw && <Withdraw approval={approval} onNotice={setNotice} />}
            <Button size="compact-xs" variant="subtle" color="gray" aria-expanded={opened} onClick={() => setOpened(!opened)}>
              {opened ? "Less" : "Details"}
            </Button>
          </div>
        )}
      </div>
      {!mine && notice && <p role="alert" className={classes.notice}>{notice}</p>}
      {!open && <Said approval={approval} />}
      {whole && <Inside approval={approval} people={people} placed={placed} tool={tool} notice={notice} onNotice={setNotice} />}
    </div>
  ); // prettier-ignore
}

interface InsideProps {
  approval: Approval;
  people: People;
  placed: boolean;
  tool: Tool | undefined;
  notice: string | null;
  onNotice: (words: string | null) => void;
}

/** All of it, with the buttons where one may decide. */
function Inside({ approval, people, placed, tool, notice, onNotice }: InsideProps) {
  const [editing, setEditing] = useState(false);
  const mine = approval.state === "open" && approval.may.decide;
  return (
    <div className={classes.inside}>
      {approval.arguments && !(mine && editing) && (
        <Arguments value={approval.arguments} schema={tool?.parameters} changedBy={editor(approval, people)} />
      )}
      <Facts approval={approval} people={people} placed={placed} description={tool?.description ?? ""} />
      {mine && notice && <p role="alert" className={classes.notice}>{notice}</p>}
      {mine && <Decide approval={approval} me={people.me} onNotice={onNotice} onEditing={setEditing} />}
    </div>
  ); // prettier-ignore
}

const MEANINGS: Partial<Record<NonNullable<Approval["decision"]>, Meaning>> = { approve: "well", reject: "dormant", ask_back: "aware" };

/** The argument that says most: of those that the tool needs, if it can be. */
function telling({ arguments: given }: Approval, schema: Record<string, unknown> = {}): string {
  const names = ordered(Object.keys(given ?? {}), schema);
  return keyArgument(Object.fromEntries(names.map((name) => [name, given?.[name]])), 60);
}

interface TitleProps {
  id: string;
  approval: Approval;
  people: People;
  about: string;
  whole: boolean;
}

function Title({ id, approval, people, about, whole }: TitleProps) {
  const came = outcome(approval, people);
  if (came !== null) {
    const meaning = (approval.decision && MEANINGS[approval.decision]) ?? "dormant";
    return (
      <p id={id} className={classes.title}>
        <StateDot meaning={meaning} label={came} />{" "}
        {approval.resolved_at && <TimeAgo when={approval.resolved_at} className={classes.dim ?? ""} />}
      </p>
    );
  }
  return (
    <p id={id} className={classes.title}>
      <span className={classes.wanted}>{wanted(approval)}</span>
      {about && <span className={classes.dim}>, {about}</span>}
      {!whole && <span className={classes.dim}>. {waitsFor(approval, people)}</span>}
    </p>
  );
}

/** "Waits for an admin: 1 of 2 approved." */
function waitsFor(approval: Approval, people: People): string {
  const far = approvedBy(approval, people).length > 0 ? progressWords(approval, people) : null;
  return `Waits for ${whoDecides(approval, people)}${far ? `: ${far}` : ""}.`;
}

/** What was said with the decision. */
function Said({ approval }: { approval: Approval }) {
  const words = said(approval);
  return words && <p className={classes.said}>“{words}”</p>;
}

const DESCRIPTION = 240;

interface FactsProps {
  approval: Approval;
  people: People;
  placed: boolean;
}

function Facts({ approval, people, placed, description }: FactsProps & { description: string }) {
  const reasons = because(approval.explanation);
  const open = approval.state === "open";
  return (
    <dl className={classes.facts}>
      {description && <Fact name="It does">{shorten(description, DESCRIPTION)}</Fact>}
      {approval.user_id && <Fact name="For"><For approval={approval} people={people} placed={placed} /></Fact>}
      {reasons.length > 0 && (
        <Fact name="Why">
          {reasons.map(({ detail, rule }) => (
            <p key={`${rule ?? ""}${detail}`}>{detail}{rule && <span className={classes.dim}> {rule}</span>}</p>
          ))}
        </Fact>
      )}
      {open && <Fact name="Decides"><Deciders approval={approval} people={people} /></Fact>}
      {!open && approval.decisions.length > 0 && <Fact name="Said"><Decisions approval={approval} people={people} /></Fact>}
      {open && approval.due_at && (
        <Fact name="Until">
          <TimeAgo when={approval.due_at} />, then it is {approval.ask.on_expiry === "approve" ? "done anyway" : "not done"}
        </Fact>
      )}
    </dl>
  ); // prettier-ignore
}

function For({ approval, people, placed }: FactsProps): ReactNode {
  const { user_id, user_name, channel_id, channel_name, readable, interaction_id } = approval;
  const name = user_id === people.me ? "You" : (user_name ?? "Somebody");
  if (!placed) return name;
  const place = channel_name ?? "a conversation";
  return (
    <>
      {name}, in{" "}
      {readable && channel_id ? <Link to="/channels/$channelId" params={{ channelId: channel_id }}>{place}</Link> : place}
      {readable && <>{" · "}<Link to="/activity/$interactionId" params={{ interactionId: interaction_id }}>see the turn</Link></>}
    </>
  ); // prettier-ignore
}

function Deciders({ approval, people }: Omit<FactsProps, "placed">) {
  const far = progressWords(approval, people);
  const who = whoDecides(approval, people);
  return (
    <>
      {who.charAt(0).toUpperCase() + who.slice(1)}
      {approval.unroutable && <p className={classes.dim}>Too few people may decide this, so the owners can.</p>}
      {far && <p>{far}</p>}
    </>
  ); // prettier-ignore
}

const VERBS = { approve: "approved", reject: "rejected", ask_back: "asked back" } as const;

function Decisions({ approval, people }: Omit<FactsProps, "placed">) {
  return approval.decisions.map((one) => (
    <p key={`${one.user_id}${one.decided_at}`}>
      {one.user_id === people.me ? "You" : (one.user_name ?? "Somebody")} {VERBS[one.decision]}
      {one.edited ? " with changes" : ""} <TimeAgo when={one.decided_at} className={classes.dim ?? ""} />
    </p>
  ));
}

/** Where the focus was on something that is gone now, it goes to the card: it is never lost. */
function useKeptFocus(root: React.RefObject<HTMLElement | null>, when: string): void {
  const inside = useRef(false);
  const follow = useCallback(() => {
    inside.current = root.current?.contains(document.activeElement) ?? false;
  }, [root]);
  useEffect(() => {
    document.addEventListener("focusin", follow);
    return () => document.removeEventListener("focusin", follow);
  }, [follow]);
  useEffect(() => {
    if (inside.current && document.activeElement === document.body) root.current?.focus({ preventScroll: true });
  }, [root, when]);
}

const SOON_MS = 100;

/** The words, once what tells them is on the page. */
function useTold(on: boolean, words: string): string {
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!on) return;
    const timer = setTimeout(() => setTold(words), SOON_MS);
    return () => clearTimeout(timer);
  }, [on, words]);
  return told;
}
