/** Requests for approval in words: what is wanted, who decides and until when, why it is asked, what came of it. Pure. */
import type { Schemas } from "@/api/client";

import { count, label, names } from "./format";
import { reasonOf } from "./reasons";

export type Approval = Schemas["Approval"];
export type Panel = Schemas["Panel"];

/** Names for ids, as they are known here. */
export interface People {
  /** Who reads this. */
  me: string | null;
  name: (id: string) => string | undefined;
}

function called(id: string, people: People, known?: string | null): string {
  return id === people.me ? "you" : (known ?? people.name(id) ?? "somebody");
}

/** "Ledger wants to use Send invoice". */
export function wanted({ agent_name, tool }: Pick<Approval, "agent_name" | "tool">): string {
  return `${agent_name ?? "An agent"} wants to use ${label(tool ?? "a tool")}`;
}

// ── who decides ────────────────────────────────────────────────────────────────────────────────────────────────────

const ONE: Record<Schemas["Role"], string> = { member: "anyone", lead: "a lead or admin", admin: "an admin", owner: "an owner" };
const MANY: Record<Schemas["Role"], string> = { member: "people", lead: "leads or admins", admin: "admins", owner: "owners" };
const NUMBERS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

function either(list: readonly string[]): string {
  return list.length <= 1 ? (list[0] ?? "") : `${list.slice(0, -1).join(", ")} or ${list.at(-1) ?? ""}`;
}

/** "an admin", "two of Ada, Ben or any admin", "you", "an owner other than Ines". */
export function panelWords(panel: Panel, people: People, requester: Pick<Approval, "user_id" | "user_name">): string {
  const who = panel.users.map((id) => called(id, people));
  if (panel.requester && !panel.four_eyes && requester.user_id && !panel.users.includes(requester.user_id)) {
    who.unshift(called(requester.user_id, people, requester.user_name));
  }
  const asker = requester.user_id ? called(requester.user_id, people, requester.user_name) : null;
  const other = panel.four_eyes && asker ? ` other than ${asker}` : "";
  const { quorum, role } = panel;
  if (quorum <= 1) return `${either(role ? [...who, ONE[role]] : who) || "nobody"}${other}`;
  const many = NUMBERS[quorum] ?? String(quorum);
  if (role && who.length === 0) return `${many} ${MANY[role]}${other}`;
  return `${many} of ${either(role ? [...who, `any ${MANY[role].replace(/s\b/g, "")}`] : who)}${other}`;
}

const RANK: Record<Schemas["Role"], number> = { member: 0, lead: 1, admin: 2, owner: 3 };

/** Whether everyone whom `one` admits counts in `other`, too, so that it is satisfied with it. */
function implied(other: Panel, one: Panel): boolean {
  const role = one.role === null || (other.role !== null && RANK[one.role] >= RANK[other.role]);
  const users = one.users.every((id) => other.users.includes(id));
  return role && users && (other.requester || !one.requester) && (one.four_eyes || !other.four_eyes) && one.quorum >= other.quorum;
}

/** The panels that say something: one that is satisfied whenever another is, is not told. */
export function telling(panels: readonly Panel[]): Panel[] {
  return panels.filter(
    (panel, at) =>
      !panels.some((one, place) => place !== at && implied(panel, one) && (!implied(one, panel) || place < at)),
  );
}

/** Everyone who has to agree: "an admin", "two owners and Ada". */
export function whoDecides({ ask, ...requester }: Pick<Approval, "ask" | "user_id" | "user_name">, people: People): string {
  return telling(ask.panels).map((panel) => panelWords(panel, people, requester)).join(" and "); // prettier-ignore
}

export interface Progress {
  /** "two admins"; where only one panel decides, that need not be said again. */
  who: string;
  have: number;
  need: number;
}

/** How far each panel has come; nothing where one word decides. */
export function progress(approval: Approval, people: People): Progress[] {
  const panels = telling(approval.ask.panels);
  if (panels.length === 1 && panels[0]?.quorum === 1) return [];
  return panels.map((panel) => {
    const open = approval.missing.find((one) => JSON.stringify(one.panel) === JSON.stringify(panel));
    return { who: panelWords(panel, people, approval), have: open?.have ?? panel.quorum, need: panel.quorum };
  });
}

/** Who has approved these very arguments so far. */
export function approvedBy({ decisions, arguments_hash }: Approval, people: People): string[] {
  const said = decisions.filter((one) => one.decision === "approve" && one.arguments_hash === arguments_hash);
  return said.map((one) => called(one.user_id, people, one.user_name));
}

/** "1 of 2 approved: Ben", "an admin approved, two owners: 1 of 2 (Ada, Ben)"; null where one word decides. */
export function progressWords(approval: Approval, people: People): string | null {
  const parts = progress(approval, people);
  const by = approvedBy(approval, people).join(", ");
  const [only] = parts;
  if (!only) return null;
  if (parts.length === 1) return `${only.have} of ${only.need} approved${by ? `: ${by}` : ""}`;
  const words = parts.map(({ who, have, need }) => (have >= need ? `${who} approved` : `${who}: ${have} of ${need}`)).join(", ");
  return by ? `${words} (${by})` : words;
}

/** Who changed the arguments last; null where they are the agent's own. */
export function editor({ edited, decisions }: Approval, people: People): string | null {
  if (!edited) return null;
  const last = decisions.findLast((one) => one.edited);
  return last ? called(last.user_id, people, last.user_name) : "somebody";
}

// ── why it is asked ────────────────────────────────────────────────────────────────────────────────────────────────

export interface Because {
  detail: string;
  /** Which rule says so: "Account policy “Payments”"; null where it is the agent's own setting. */
  rule: string | null;
}

const RULES: Partial<Record<Schemas["Layer"], string>> = {
  role: "Worker role",
  assignment: "Assignment",
  user: "Personal policy",
  team: "Team policy",
  account: "Account policy",
};

/** What wanted a person asked, rule by rule; nothing said twice. */
export function because(explanation: Schemas["Judgement"] | null): Because[] {
  const found: Because[] = [];
  for (const { layer, rule, verdict, reason, detail } of explanation?.opinions ?? []) {
    if (verdict !== "ask") continue;
    const kind = RULES[layer];
    const words = detail || reasonOf(reason ?? "approval_required");
    const one = { detail: words, rule: kind ? `${kind} “${rule.replace(/^assignment: /, "")}”` : null };
    if (!found.some((known) => known.detail === one.detail && known.rule === one.rule)) found.push(one);
  }
  return found;
}

// ── what came of it ────────────────────────────────────────────────────────────────────────────────────────────────

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "Tom Becker approved this with changes."; null while it is open. */
export function outcome(approval: Approval, people: People): string | null {
  if (approval.state === "open") return null;
  const { decision, decisions, ask } = approval;
  const mine = decisions.filter((one) => one.decision === decision);
  const by = capital(names(mine.map((one) => called(one.user_id, people, one.user_name)), 3)) || "Somebody";
  switch (decision) {
    case "approve":
      return `${by} approved this${approval.edited ? ", with changes" : ""}.`;
    case "reject":
      return `${by} rejected this.`;
    case "ask_back":
      return `${by} asked back.`;
    case "withdrawn":
      return "This was withdrawn.";
    case "expired":
      return ask.on_expiry === "approve"
        ? "Nobody decided in time, so it was done, as the rule says."
        : "Nobody decided in time, so it was not done.";
    default:
      return approval.state === "expired" ? "Nobody decided in time." : "The turn ended before anybody decided.";
  }
}

/** The words that went with a decision, for whoever reads it later. */
export function said({ decision, decisions }: Approval): string | null {
  return decisions.findLast((one) => one.decision === decision)?.reason.trim() || null;
}

/** What is due first, first; what has no end last. */
export function byDue<T extends Pick<Approval, "due_at" | "created_at">>(list: readonly T[]): T[] {
  const at = ({ due_at }: T) => (due_at ? Date.parse(due_at) : Infinity);
  return [...list].sort((one, other) => {
    const apart = at(one) - at(other);
    return Number.isNaN(apart) || apart === 0 ? Date.parse(one.created_at) - Date.parse(other.created_at) : apart;
  });
}

// ── exactly what is there ──────────────────────────────────────────────────────────────────────────────────────────

// what shows nothing, or turns around what follows: an approver must see that it is there
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The text with what cannot be seen in it spelt out: "U+202E". Emoji keep what joins them. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char, at: number) => {
    if (/[\u200d\ufe0f]/.test(char) && /\p{Extended_Pictographic}|\p{Emoji_Modifier}|[\ufe0f#*0-9]/u.test(before(text, at))) return char;
    return `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

function before(text: string, at: number): string {
  return [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? "";
}

const FOLD_LETTERS = 320;
const FOLD_LINES = 8;

/** A long text's beginning, and what its whole length is; null where it is short enough to be read at once. */
export function folded(text: string): { start: string; rest: string } | null {
  const lines = text.split("\n");
  if (text.length <= FOLD_LETTERS && lines.length <= FOLD_LINES) return null;
  const start = lines.slice(0, FOLD_LINES).join("\n").slice(0, FOLD_LETTERS).trimEnd();
  return { start: `${start}…`, rest: `${count([...text].length)} characters` };
}
