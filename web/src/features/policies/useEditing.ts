/** What is being written: in fields or as text, turned from one into the other; and what it says when it is whole. */
import { useState } from "react";

import { useAgents } from "@/api/agents";
import { useChannels } from "@/api/channels";
import type { GivenRule, RuleType } from "@/api/policies";
import { useUsers } from "@/api/users";

import { check } from "./check";
import { type Format, fromText, type Slugs, slugsOf, toText, type Wrong } from "./documents";
import { fromContent, toRule, type Values } from "./form";
import { readable } from "./readable";
import { usePolicyForm, type Form } from "./useForm";

export type View = "form" | Format;

/** A policy as it would be sent. */
export interface Written {
  name: string;
  enabled: boolean;
  priority: number;
  rule: GivenRule;
}

export interface Editing {
  form: Form;
  view: View;
  text: string;
  wrong: Wrong | null;
  type: RuleType;
  setText: (text: string) => void;
  turn: (view: View) => void;
  /** What it says; null while something is wrong with it. A missing name is no reason not to look at the rest. */
  read: (named?: boolean) => Written | null;
  /** Whether it says something else than at first. */
  changed: () => boolean;
  /** Shows what is wrong with it. */
  complain: () => void;
}

/** `stored`: how the policy's rule is, where this app cannot show it in fields. */
export function useEditing(initial: Values, stored: object | null): Editing {
  const form = usePolicyForm(initial);
  const slugs = useSlugs();
  const [view, setView] = useState<View>(stored ? "json" : "form");
  const [text, setPlain] = useState(() => (stored ? toText({ ...initial, rule: stored }, slugs, "json") : ""));
  const [wrong, setWrong] = useState<Wrong | null>(null);
  const [begun] = useState(() => (stored ? text : plainly({ ...initial, rule: toRule(initial) })));

  function turn(next: View): void {
    if (next === view) return;
    if (view === "form") {
      const { name, enabled, priority } = form.values;
      setPlain(toText({ name, enabled, priority, rule: toRule(form.values) }, slugs, next as Format));
      setView(next);
      setWrong(null);
      return;
    }
    const read = fromText(text, slugs, true);
    if (!read.ok) { setWrong(read.wrong); return; }
    if (next !== "form") setPlain(toText(read.content, slugs, next));
    else {
      const rule = readable(read.content.rule);
      if (!rule) { setWrong({ line: null, words: "This rule can't be shown as fields. Mend it here, or save it as it is." }); return; }
      form.setValues(fromContent({ ...read.content, rule }, initial.cost.time_zone));
      form.clearErrors();
    }
    setView(next);
    setWrong(null);
  }

  function read(named = true): Written | null {
    if (view === "form") {
      const { name: missing, ...errors } = check(form.values);
      if ((named && missing) || Object.keys(errors).length > 0) return null;
      const { name, enabled, priority } = form.values;
      return { name: name.trim() || "New policy", enabled, priority, rule: toRule(form.values) };
    }
    const found = fromText(text, slugs, !named);
    if (!found.ok) return null;
    return { ...found.content, name: found.content.name.trim() || "New policy", rule: found.content.rule as unknown as GivenRule };
  }

  function changed(): boolean {
    if (view === "form") return plainly({ ...form.values, rule: toRule(form.values) }) !== begun;
    if (stored) return text !== begun;
    const found = fromText(text, slugs, true);
    return !found.ok || plainly(found.content as unknown as Written) !== begun;
  }

  function complain(): void {
    if (view === "form") return void form.validate();
    const found = fromText(text, slugs);
    setWrong(found.ok ? null : found.wrong);
  }

  function setText(next: string): void {
    setPlain(next);
    setWrong(null);
  }
  return { form, view, text, wrong, type: form.values.type, setText, turn, read, changed, complain };
}

/** To compare by: the same for a rule and for the same rule without what goes without saying. */
function plainly({ name, enabled, priority, rule }: Written): string {
  const whole = readable(rule);
  const said = whole ? toRule(fromContent({ name, enabled, priority, rule: whole }, "UTC")) : rule;
  return JSON.stringify([name.trim(), enabled, priority, said]);
}

function useSlugs(): Slugs {
  const [agents, channels, people] = [useAgents().data, useChannels().data, useUsers().data];
  return slugsOf(agents ?? [], channels ?? [], people ?? []);
}
