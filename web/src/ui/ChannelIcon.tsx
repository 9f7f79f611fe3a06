import { IconHash, IconLock, IconUsers, IconWorld } from "@tabler/icons-react";

import type { Schemas } from "@/api/client";

const ICONS = { organisation: IconWorld, team: IconUsers, group: IconHash, private: IconLock };

/** The mark of a channel's kind. Decoration: the kind stands beside it, or its name says it. */
export function ChannelIcon({ kind, size = 18 }: { kind: Schemas["ChannelKind"]; size?: number }) {
  const Icon = ICONS[kind];
  return <Icon size={size} stroke={1.5} aria-hidden style={{ flex: "none", color: "var(--rt-dimmed)" }} />;
}
