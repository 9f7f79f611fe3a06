/** What is wrong with a policy's form, by field; and the server's reasons, put beside the fields they belong to. Pure. */
import type { RuleType } from "@/api/policies";
import { parseMoney } from "@/lib/money";

import { type AskValues, type Count, SECONDS, type Values, type Where } from "./form";

export type Errors = Record<string, string>;

export const NAME_MAX = 200;
const DAY_S = 86_400;
const ARGUMENT = /^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,5}$/;
const PATTERN = /^[A-Za-z0-9_*-]{1,64}$/;
const HOST = /^(\*\.)?[a-z0-9.-]{1,253}$/i;
const CATEGORY = /^[a-z][a-z0-9_]{0,62}$/;

/** Empty when all is well. The server checks again. */
export function check(values: Values): Errors {
  const found: Errors = {};
  const name = values.name.trim();
  if (!name) found["name"] = "Give it a name.";
  else if (name.length > NAME_MAX) found["name"] = `Use at most ${NAME_MAX} characters.`;
  const odd = values.scope.tools.find((tool) => !PATTERN.test(tool));
  if (odd !== undefined) found["scope.tools"] = `“${odd}” is not a tool's name; * stands for any letters.`;
  return { ...found, ...CHECKS[values.type](values) };
}

const CHECKS: Record<RuleType, (values: Values) => Errors> = {
  tool_restriction: ({ tool }) => {
    const says = tool.limited || tool.never.length > 0 || tool.actions === "only" || tool.denied.length > 0 || tool.calls !== "";
    const odd = (list: readonly string[]) => list.find((one) => !PATTERN.test(one));
    const [only, never] = [tool.limited ? odd(tool.only) : undefined, odd(tool.never)];
    return given({
      "tool.never": never ? notATool(never) : says ? undefined : "Say what it restricts: tools, actions or calls.",
      "tool.only": only && notATool(only),
      "tool.calls": tool.calls !== "" && !whole(tool.calls, 0) ? "Use a whole number." : undefined,
    });
  },
  content_restriction: ({ content, ask }) => {
    const looks = content.patterns.trim() !== "" || content.topics.length > 0 || content.detect.length > 0;
    const region = content.region.trim();
    return given({
      "content.detect": looks ? undefined : "Say what to look for: personal data, topics or patterns.",
      "content.region": region && !/^[a-z]{2}$/i.test(region) ? "Use a country's two letters, such as GB." : undefined,
      ...Object.fromEntries(content.topics.flatMap((topic, at) => [
        [`content.topics.${at}.name`, topic.name.trim() ? undefined : "Name the topic."],
        [`content.topics.${at}.words`, topic.words.length > 0 ? undefined : "Give at least one word that tells of it."],
      ])),
      ...(content.then === "ask" ? ofAsk(ask) : {}),
    }); // prettier-ignore
  },
  approval: ({ approval, ask }) => {
    const odd = approval.categories.find((one) => !CATEGORY.test(one));
    const cost = approval.cost_above.trim();
    return given({
      "approval.categories": odd && `“${odd}” is no category: use small letters, digits and _, as in external_email.`,
      "approval.cost_above": cost && parseMoney(cost) === null ? "Use an amount in dollars such as 0.50." : undefined,
      ...Object.fromEntries(approval.where.flatMap((where, at) => Object.entries(ofWhere(where, at)))),
      ...ofAsk(ask),
    });
  },
  model_allow_list: ({ model }) => {
    const odd = model.models.find((one) => /\s/.test(one));
    return given({ "model.models": odd && `“${odd}” has spaces; model ids have none.` });
  },
  network_egress: ({ egress }) => {
    const odd = egress.hosts.find((one) => !HOST.test(one.trim()));
    return given({ "egress.hosts": odd && `“${odd}” is not a host: use example.com, or *.example.com for all below it.` });
  },
  time_window: ({ time }) =>
    given({
      "time.days": time.days.length === 0 ? "Choose at least one day." : undefined,
      "time.start": /^\d\d:\d\d/.test(time.start) ? undefined : "Use a time such as 08:00.",
      "time.end": /^\d\d:\d\d/.test(time.end) ? undefined : "Use a time such as 18:00.",
    }),
  trigger_mode_restriction: () => ({}),
  delegation_depth: ({ depth }) => given({ "depth.max": whole(depth.max, 0, 10) ? undefined : "Use 0 to 10." }),
  cost_limit: ({ cost }) => {
    const odd = cost.warn_at.find((one) => !/^\d{1,3}%?$/.test(one) || Number(one.replace("%", "")) < 1 || Number(one.replace("%", "")) > 100);
    return given({
      "cost.limit": parseMoney(cost.limit) === null ? "Use an amount in dollars such as 50." : undefined,
      "cost.warn_at": odd !== undefined ? `“${odd}” is not a percentage from 1 to 100.` : undefined,
    });
  },
  rate_limit: ({ rate }) => {
    const seconds = rate.span === "" ? 0 : rate.span * SECONDS[rate.unit];
    return given({
      "rate.amount": whole(rate.amount, 1) ? undefined : "Use a whole number from 1 on.",
      "rate.span": whole(rate.span, 1) && seconds <= 31 * DAY_S ? undefined : "Use a whole number, 31 days at most.",
      "rate.burst": rate.burst !== "" && !whole(rate.burst, 1) ? "Use a whole number from 1 on." : undefined,
    });
  },
};

function notATool(text: string): string {
  return `“${text}” is not a tool's name; * stands for any letters.`;
}

function ofWhere({ argument, is, value, list }: Where, at: number): Record<string, string | undefined> {
  const lists = is === "one_of" || is === "not_one_of";
  const missing = lists ? list.length === 0 : value.trim() === "";
  const number = is === "above" && !Number.isFinite(Number(value.trim().replace(",", ".")));
  return {
    [`approval.where.${at}.argument`]: ARGUMENT.test(argument.trim()) ? undefined : "Name the argument, as in amount or order.total.",
    [`approval.where.${at}.value`]: missing ? "Say with what it is compared." : number ? "Use a number." : undefined,
  };
}

function ofAsk(ask: AskValues): Record<string, string | undefined> {
  const seconds = ask.span === "" ? 0 : ask.span * SECONDS[ask.unit];
  return {
    "ask.span": seconds >= 60 && seconds <= 31 * DAY_S && Number.isInteger(seconds) ? undefined : "Use a minute to 31 days.",
    ...Object.fromEntries(
      ask.panels.flatMap(({ role, users, requester, quorum }, at) => [
        [`ask.panels.${at}.role`, role !== "none" || users.length > 0 || requester ? undefined : "Say who decides."],
        [`ask.panels.${at}.quorum`, whole(quorum, 1, 10) ? undefined : "Use 1 to 10."],
      ]),
    ),
  };
}

function whole(value: Count, least: number, most = Infinity): boolean {
  return value !== "" && Number.isInteger(value) && value >= least && value <= most;
}

function given(found: Record<string, string | undefined>): Errors {
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

// ── the server's reasons ───────────────────────────────────────────────────────────────────────────────────────────

const FIELDS: Record<RuleType, Record<string, string>> = {
  tool_restriction: {
    only: "tool.only", never: "tool.never", allowed_actions: "tool.allowed", denied_actions: "tool.denied",
    max_calls_per_interaction: "tool.calls",
  },
  content_restriction: {
    patterns: "content.patterns", topics: "content.topics", detect: "content.detect", region: "content.region", ask: "ask",
  },
  approval: { categories: "approval.categories", where: "approval.where", cost_above_micro: "approval.cost_above", ask: "ask" },
  model_allow_list: { models: "model.models" },
  network_egress: { hosts: "egress.hosts" },
  time_window: { days: "time.days", start: "time.start", end: "time.end", time_zone: "time.time_zone" },
  trigger_mode_restriction: { loosest: "trigger.loosest" },
  delegation_depth: { max: "depth.max" },
  cost_limit: { limit_micro: "cost.limit", warn_at: "cost.warn_at", per: "cost.per", period: "cost.period", time_zone: "cost.time_zone" },
  rate_limit: { amount: "rate.amount", seconds: "rate.span", burst: "rate.burst", per: "rate.per", about: "rate.about" },
}; // prettier-ignore

/** Whose members have fields of their own; the reasons about others stand at the list. */
const NESTED = /^(ask\.panels|approval\.where|content\.topics)\.\d+\.\w+/;

/** The server's reasons by the fields of this form; what belongs to none of them is under "". */
export function serverErrors(fields: Record<string, string>, type: RuleType): Errors {
  const found: Errors = {};
  for (const [path, reason] of Object.entries(fields)) found[placeOf(path.replace(/^policy\./, ""), type)] ??= reason;
  return found;
}

function placeOf(path: string, type: RuleType): string {
  if (path === "name") return "name";
  if (!path.startsWith("rule.")) return "";
  const inner = path.slice("rule.".length).replace(new RegExp(`^${type}\\.?`), "");
  const [head = "", ...rest] = inner.split(".");
  if (head === "scope") return rest[0] ? `scope.${rest[0]}` : "";
  const field = FIELDS[type][head];
  if (!field) return "";
  const whole = [field, ...rest].join(".");
  const nested = NESTED.exec(whole)?.[0];
  if (nested) return nested;
  if (field !== "ask") return field;
  return rest[0] === "panels" ? `ask.panels.${rest[1] ?? "0"}.role` : "ask.span";
}
