/** The prompt of a model call as blocks to read: who says what, and which tools were offered. */
import type { Prompt } from "@/api/interactions";
import { label } from "@/lib/format";

export type Piece = { kind: "text"; text: string } | { kind: "json"; title: string; value: unknown } | { kind: "note"; text: string };

export interface Block {
  role: string;
  title: string;
  pieces: Piece[];
}

type Request = Prompt["request"];
type Part = Request["messages"][number]["parts"][number];

const ROLES: Record<string, string> = {
  system: "Instructions",
  user: "Person",
  assistant: "Agent",
  tool: "Tool result",
};

/** Instructions first, then every message in the order the model read it. */
export function blocksOf(prompt: Request): Block[] {
  const blocks = prompt.messages.map(({ role, name, parts }) => ({
    role,
    title: name ? `${ROLES[role] ?? label(role)}, ${name}` : (ROLES[role] ?? label(role)),
    pieces: parts.map(pieceOf),
  }));
  if (!prompt.system) return blocks;
  return [{ role: "system", title: "Instructions", pieces: [{ kind: "text", text: prompt.system }] }, ...blocks];
}

function pieceOf(part: Part): Piece {
  switch (part.kind) {
    case "text":
      return { kind: "text", text: part.text };
    case "thinking":
      return { kind: "note", text: `Thought: ${part.text}` };
    case "image":
      return { kind: "note", text: part.url ? `Image at ${part.url}` : `Image (${part.media_type})` };
    case "file":
      return { kind: "note", text: `File ${part.file.name}` };
    case "tool-call":
      return { kind: "json", title: `Calls ${label(part.call.tool)}`, value: part.call.malformed ?? part.call.arguments };
    case "tool-result":
      return { kind: "json", title: `${label(part.tool_name)} ${part.ok ? "gave" : "failed with"}`, value: part.result };
  }
}
