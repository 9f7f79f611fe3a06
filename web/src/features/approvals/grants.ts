/** Standing approvals in words. Pure. */
import type { Grant } from "@/api/approvals";
import { label } from "@/lib/format";

/** "Ledger may use Send invoice". */
export function grantTitle({ agent_name, tool }: Grant): string {
  return `${agent_name ?? "An agent"} may use ${label(tool)}`;
}

/** "In Wholesale orders, for Inês, with the same arguments"; "Everywhere, for anybody". */
export function grantScope(grant: Grant, me: string | undefined): string {
  const where = grant.channel_id ? `In ${grant.channel_name ?? "one channel"}` : "Everywhere";
  const whom = grant.user_id ? `for ${grant.user_id === me ? "you" : (grant.user_name ?? "one person")}` : "for anybody";
  return [where, whom, grant.arguments_hash ? "with the same arguments" : "with any arguments"].join(", ");
}
