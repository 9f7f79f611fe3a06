/** What a page is called: in the window's title, in what screen readers announce. Pure. */
import { label } from "@/lib/format";

export interface Names {
  channel: (id: string) => string | undefined;
  agent: (id: string) => string | undefined;
}

export function titleOf(path: string, names: Names): string {
  const [place = "", id = "", more = ""] = path.split("/").slice(1);
  switch (place) {
    case "":
    case "welcome":
      return "Welcome";
    case "channels":
      return id ? (names.channel(id) ?? "Channel") : "Channels";
    case "activity":
      return id ? "Turn" : "Activity";
    case "approvals":
      return "Approvals";
    case "audit":
      return "Audit";
    case "usage":
      return "Usage";
    case "policies":
      return ofPolicy(id);
    case "agents":
      return ofAgent(id, more, names);
    case "settings":
      return id ? `${label(id)} settings` : "Settings";
    default:
      return "Not found";
  }
}

function ofPolicy(id: string): string {
  if (!id) return "Policies";
  return { new: "New policy", explain: "Explain a call" }[id] ?? "Policy";
}

function ofAgent(id: string, more: string, names: Names): string {
  if (!id) return "Agents";
  if (id === "new") return "New agent";
  const name = names.agent(id) ?? "Agent";
  return more === "edit" ? `Edit ${name}` : name;
}
