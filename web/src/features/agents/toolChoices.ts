/** Choosing tools for an agent: what is listed, found, switched. */
import type { ToolChoice } from "@/api/agents";
import type { Tool } from "@/api/tools";

export interface Listed {
  slug: string;
  name: string;
  /** Null for a tool the agent has but nobody knows here any more. */
  known: Tool | null;
}

/** All known tools, and those the agent has that are not known; by name, those it has first. */
export function listed(tools: readonly Tool[], chosen: readonly ToolChoice[]): Listed[] {
  const seen = tools.filter((tool) => !tool.shadowed);
  const slugs = new Set(seen.map((tool) => tool.slug));
  const lost = chosen.filter((choice) => !slugs.has(choice.tool));
  const rows = [
    ...seen.map((tool) => ({ slug: tool.slug, name: tool.name, known: tool })),
    ...lost.map(({ tool }) => ({ slug: tool, name: tool.replaceAll("_", " "), known: null })),
  ];
  return rows.sort((a, b) => a.name.localeCompare(b.name));
}

/** Those whose name, slug or description has every word. */
export function findTools(rows: readonly Listed[], query: string): readonly Listed[] {
  const words = query.toLowerCase().trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter(({ slug, name, known }) => {
    const text = `${name} ${slug} ${known?.description ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The choices with this tool switched on or off. One that was set up before stays set up while it is off. */
export function withTool(
  chosen: readonly ToolChoice[],
  tool: string,
  enabled: boolean,
  before: readonly ToolChoice[],
): ToolChoice[] {
  const others = chosen.filter((choice) => choice.tool !== tool);
  const own = chosen.find((choice) => choice.tool === tool) ?? before.find((choice) => choice.tool === tool);
  if (enabled) return [...others, { tool, enabled: true, config: own?.config ?? {} }];
  const kept = before.some((choice) => choice.tool === tool);
  return kept ? [...others, { tool, enabled: false, config: own?.config ?? {} }] : others;
}
