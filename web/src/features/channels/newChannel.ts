/** What is written in the form of a new channel, checked and made into what the server takes. Pure. */
import type { NewChannel } from "@/api/channels";
import type { Schemas } from "@/api/client";

export interface Form {
  kind: Schemas["ChannelKind"];
  name: string;
  teamId: string | null;
  /** Ids of people (`usr_`) and agents (`agt_`). */
  members: string[];
}

export const BLANK: Form = { kind: "group", name: "", teamId: null, members: [] };
const LONGEST = 120;

export type Errors = Partial<Record<keyof Form, string>>;

export function check(form: Form): Errors {
  const errors: Errors = {};
  const name = form.name.trim();
  if (!name) errors.name = "Give it a name.";
  else if ([...name].length > LONGEST) errors.name = `A name has up to ${LONGEST} characters.`;
  if (form.kind === "team" && !form.teamId) errors.teamId = "Choose the team.";
  return errors;
}

export function body(form: Form): NewChannel {
  return {
    kind: form.kind,
    name: form.name.trim(),
    ...(form.kind === "team" ? { team_id: form.teamId } : {}),
    members: form.members.map((id) => (id.startsWith("agt_") ? { agent_id: id } : { user_id: id })),
  };
}

const FIELDS: Record<string, keyof Form> = { name: "name", kind: "kind", team_id: "teamId", members: "members" };

/** The server's reasons at the fields they are about; what is about none of them is `rest`. */
export function placed(fields: Record<string, string>): { errors: Errors; rest: string[] } {
  const errors: Errors = {};
  const rest: string[] = [];
  for (const [path, reason] of Object.entries(fields)) {
    const field = FIELDS[path.split(".")[0] ?? ""];
    if (field) errors[field] ??= reason;
    else rest.push(reason);
  }
  return { errors, rest };
}
