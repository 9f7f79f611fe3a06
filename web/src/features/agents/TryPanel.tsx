import type { AgentValues } from "./form";
import { Panel } from "@/ui/Panel";

export function TryPanel({ onClose }: { values: AgentValues; onClose: () => void }) {
  return <Panel title="Try it" onClose={onClose}>{null}</Panel>;
}
