/** Budgets in words: how much of them is used, where that leads to, and what that means. Pure. */
import type { Budget } from "@/api/budgets";
import { money } from "@/lib/money";
import type { Meaning } from "@/lib/states";
import { day } from "@/lib/time";

export interface Pot {
  id: string;
  name: string;
  /** What it is about: "Each agent, per month". */
  about: string;
  /** By whom it counts, most spent first. */
  budgets: Budget[];
}

const PERIODS: Record<Budget["period"], readonly [now: string, each: string]> = {
  day: ["today", "per day"], week: ["this week", "per week"], month: ["this month", "per month"], total: ["so far", "in all"],
}; // prettier-ignore

/** The budgets of each policy together, in the order they come. */
export function potsOf(budgets: readonly Budget[], teams: readonly { id: string; name: string }[] = []): Pot[] {
  const pots = new Map<string, Pot>();
  for (const budget of budgets) {
    const pot = pots.get(budget.policy_id) ?? { id: budget.policy_id, name: budget.name, about: about(budget, teams), budgets: [] };
    pot.budgets.push(budget);
    pots.set(pot.id, pot);
  }
  return [...pots.values()];
}

function about({ layer, per, period, team_id }: Budget, teams: readonly { id: string; name: string }[]): string {
  const team = teams.find((one) => one.id === team_id)?.name ?? "a team";
  const where = { account: "", team: ` in ${team}`, user: " for you" }[layer];
  const who = {
    account: where ? "Everything" : "The whole account",
    team: layer === "team" ? "" : "Each team",
    user: layer === "user" ? "All that is done" : "Each person",
    agent: "Each agent",
    interaction: "Each turn with all it hands on",
    delegation: "Each turn that was handed on",
  }[per];
  if (who === "") return `The team ${team}, ${PERIODS[period][1]}`;
  return isOfTurns(per) ? `${who}${where}` : `${who}${where}, ${PERIODS[period][1]}`;
}

export function isOfTurns(per: Budget["per"]): boolean {
  return per === "interaction" || per === "delegation";
}

/** "$12.40 of $50.00 this month". */
export function usedWords({ spent, limit, period }: Budget): string {
  return `${money(spent)} of ${money(limit)} ${PERIODS[period][0]}`;
}

/** "; at this pace $38.00", with the day on which that is too much; nothing where nobody can say. */
export function paceWords(budget: Budget): string {
  const { forecast, spent, limit } = budget;
  if (!forecast || spent.amount_micro === 0 || spent.amount_micro >= limit.amount_micro) return "";
  return `; at this pace ${money(forecast)}`;
}

export interface Standing {
  meaning: Meaning;
  words: string;
}

/** What one should know of it; null where all is well. */
export function standing(budget: Budget): Standing | null {
  const { limit, spent, reserved, forecast, ends_at } = budget;
  if (isOfTurns(budget.per)) return null;
  const again = ends_at ? ` until ${day(ends_at)}` : "";
  if (limit.amount_micro === 0) return { meaning: "dormant", words: "Nothing may be spent." };
  if (spent.amount_micro >= limit.amount_micro) return { meaning: "attention", words: `Used up: what costs is refused${again}.` };
  if (spent.amount_micro + reserved.amount_micro >= limit.amount_micro) {
    return { meaning: "attention", words: "Used up while the calls that run now hold the rest." };
  }
  const used = percent(budget);
  const near = budget.warn_at.length > 0 && used >= Math.min(...budget.warn_at);
  const out = forecast && forecast.amount_micro > limit.amount_micro ? runsOut(budget) : null;
  if (!near && !out) return null;
  const words = [near ? `Near its limit: ${used}% used` : "", out ? `${near ? "l" : "L"}ikely used up around ${day(out)}` : ""];
  return { meaning: "aware", words: `${words.filter(Boolean).join(", ")}.` };
}

/** How much of it is spent, in whole percent, never rounded up to all of it. */
export function percent({ spent, limit }: Budget): number {
  return limit.amount_micro === 0 ? 100 : Math.min(Math.floor((spent.amount_micro / limit.amount_micro) * 100), 100);
}

/** When it is used up at this pace: as far along as it is spent for the forecast. */
function runsOut({ starts_at, ends_at, limit, forecast }: Budget): number | null {
  if (!starts_at || !ends_at || !forecast) return null;
  const [start, end] = [Date.parse(starts_at), Date.parse(ends_at)];
  return start + ((end - start) * limit.amount_micro) / forecast.amount_micro;
}

/** The parts of the bar, in percent of the limit. */
export function parts({ spent, reserved, limit }: Budget): { spent: number; reserved: number } {
  if (limit.amount_micro === 0) return { spent: 0, reserved: 0 };
  const of = (micro: number): number => Math.min(100, (100 * micro) / limit.amount_micro);
  return { spent: of(spent.amount_micro), reserved: Math.min(of(reserved.amount_micro), 100 - of(spent.amount_micro)) };
}
