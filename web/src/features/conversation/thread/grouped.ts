/** Which replies follow on the same author's a moment before, and need no name of their own. Pure. */

interface Said {
  author_kind: string;
  user_id: string | null;
  agent_id: string | null;
  created_at: string;
}

const TOGETHER_MS = 5 * 60_000;

export function grouped<M extends Said>(messages: readonly M[]): { message: M; follows: boolean }[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    return { message, follows: before !== undefined && sameAuthor(before, message) && soon(before, message) };
  });
}

function sameAuthor(one: Said, other: Said): boolean {
  return one.author_kind === other.author_kind && one.user_id === other.user_id && one.agent_id === other.agent_id;
}

function soon(one: Said, other: Said): boolean {
  return Date.parse(other.created_at) - Date.parse(one.created_at) < TOGETHER_MS;
}
