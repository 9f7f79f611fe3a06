/** Handles: what `@` mentions. One per agent of the account. */

/** `wanted`, or with the first number behind it that nobody has. */
export function freeHandle(wanted: string, agents: readonly { slug: string }[]): string {
  const taken = new Set(agents.map((agent) => agent.slug));
  let slug = wanted;
  for (let number = 2; taken.has(slug); number += 1) slug = `${wanted}-${number}`;
  return slug;
}
