/** Server-sent events read from the pieces of a response, wherever those were cut. Pure. */
import type { StreamEvent } from "./stream";

/** Feed it text as it arrives; it gives the events that are complete. What is no JSON is left out. */
export class SseReader {
  private rest = "";

  push(text: string): StreamEvent[] {
    const blocks = (this.rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.flatMap(parse);
  }
}

function parse(block: string): StreamEvent[] {
  let event = "message";
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue; // a comment, or nothing
    const name = line.slice(0, at);
    const value = line.slice(at + (line[at + 1] === " " ? 2 : 1));
    if (name === "event") event = value;
    else if (name === "id") id = value;
    else if (name === "data") data.push(value);
  }
  if (!data.length) return [];
  try {
    return [{ event, id, data: JSON.parse(data.join("\n")) as unknown }];
  } catch {
    return [];
  }
}

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/** How long to wait before the next attempt: doubling up to 5 s, with jitter so that not all come at once. */
export function backoff(failures: number, random: () => number = Math.random): number {
  return Math.min(FIRST_MS * 2 ** Math.min(failures, 10), LONGEST_MS) * (0.75 + random() / 2);
}
