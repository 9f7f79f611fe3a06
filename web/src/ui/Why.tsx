/** Why a call was allowed, asked about or refused: a quiet button, and in place below it what the rules said. */
import { UnstyledButton } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { useId, type ReactNode } from "react";

import type { Schemas } from "@/api/client";
import { useUsers } from "@/api/users";
import { reasonOf } from "@/lib/reasons";
import { askWords, byLayer, deciding, foundWords, LAYER_WORDS, ofVerdict, type Ask, type Said, type Verdict } from "@/lib/verdicts";
import { StateDot } from "@/ui/StateDot";

import classes from "./Why.module.css";

interface ButtonProps {
  open: boolean;
  onToggle: () => void;
  children: ReactNode;
}

export function WhyButton({ open, onToggle, children }: ButtonProps) {
  const id = useId();
  return (
    <div>
      <UnstyledButton className={classes.button} aria-expanded={open} aria-controls={id} onClick={onToggle}>
        <IconChevronRight className={classes.chevron} size={14} stroke={1.5} aria-hidden />
        Why?
      </UnstyledButton>
      <div id={id} hidden={!open} className={classes.inside}>
        {open ? children : null}
      </div>
    </div>
  );
}

interface JudgedProps {
  policy: Schemas["Judgement"];
  /** Ways on from here. */
  children?: ReactNode;
}

/** What the rules said about something that was done, or was not. */
export function Judged({ policy, children }: JudgedProps) {
  const { verdict, opinions, ask, redact } = policy;
  return (
    <>
      <p className={classes.sentence}>{verdictWords(verdict, opinions)}</p>
      <Layers opinions={opinions} />
      {ask ? <p className={classes.rest}><Asked ask={ask} /></p> : null}
      {redact.length > 0 ? <p className={classes.rest}>Taken out first: {foundWords(redact)}.</p> : null}
      {children}
    </>
  ); // prettier-ignore
}

/** "Not allowed. Mail is not to be used here." */
function verdictWords(verdict: Verdict, opinions: readonly Said[]): string {
  const first = deciding(verdict, opinions);
  switch (verdict) {
    case "allow":
      return opinions.some((one) => one.reason === "granted") ? "Allowed: it was approved beforehand." : "Allowed: no rule was against it.";
    case "ask":
      return `A person was to decide first. ${first ? detailOf(first) : ""}`;
    case "deny":
      return `Not allowed. ${first ? detailOf(first) : reasonOf("no_policy")}`;
  }
}

/** What these say in detail is written for models. */
const FOR_MODELS = new Set(["unknown_tool", "invalid_arguments"]);

export function detailOf({ detail, reason }: Said): string {
  if (reason && FOR_MODELS.has(reason)) return reasonOf(reason);
  return detail || (reason ? reasonOf(reason) : "Nothing against it.");
}

interface LayersProps<T extends Said> {
  opinions: readonly T[];
  /** Also the layers that have nothing to say about it. */
  all?: boolean;
  /** The name of a rule, where it leads somewhere. */
  name?: (one: T) => ReactNode;
}

/** Each layer's rules and what they said, the agent's own first, the account's last. */
export function Layers<T extends Said>({ opinions, all = false, name }: LayersProps<T>) {
  const layers = byLayer(opinions).filter(({ said }) => all || said.length > 0);
  if (layers.length === 0) return null;
  return (
    <dl className={classes.list} data-all={all || undefined}>
      {layers.map(({ layer, said }) => (
        <div key={layer}>
          <dt>{LAYER_WORDS[layer]}</dt>
          {said.length === 0 ? <dd className={classes.detail}>Nothing against it</dd> : null}
          {said.map((one) => (
            <dd key={`${one.rule} ${one.reason ?? ""}`}>
              <span className={classes.rule}>
                <StateDot {...ofVerdict(one.verdict)} />
                <span className={classes.name}>{name?.(one) ?? ruleName(one.rule)}</span>
              </span>
              <div className={classes.detail}>{detailOf(one)}</div>
            </dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

/** What the agent's own settings call themselves, in words; names that people gave stay. */
function ruleName(rule: string): string {
  return /^[a-z]+(_[a-z]+)+$/.test(rule) ? rule.replaceAll("_", " ") : rule;
}

/** Who decides, and until when. */
export function Asked({ ask }: { ask: Ask }) {
  const people = useUsers().data;
  return askWords(ask, (id) => people?.find((one) => one.id === id)?.name);
}
