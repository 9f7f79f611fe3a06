/** The sections of the settings and where each stands. */
import {
  IconBuilding,
  IconDeviceDesktop,
  IconFile,
  IconId,
  IconKey,
  IconLock,
  IconPlugConnected,
  IconUser,
  IconUsers,
  IconUsersGroup,
} from "@tabler/icons-react";

export const SECTIONS = [
  { id: "profile", title: "Profile", group: "You", icon: IconUser },
  { id: "security", title: "Security", group: "You", icon: IconLock },
  { id: "keys", title: "API keys", group: "You", icon: IconKey },
  { id: "appearance", title: "Appearance", group: "You", icon: IconDeviceDesktop },
  { id: "account", title: "General", group: "Account", icon: IconBuilding },
  { id: "people", title: "People", group: "Account", icon: IconUsers },
  { id: "teams", title: "Teams", group: "Account", icon: IconUsersGroup },
  { id: "roles", title: "Worker roles", group: "Account", icon: IconId },
  { id: "models", title: "Models", group: "Account", icon: IconPlugConnected },
  { id: "storage", title: "Storage", group: "Account", icon: IconFile },
] as const;

export type SectionId = (typeof SECTIONS)[number]["id"];
export const GROUPS = ["You", "Account"] as const;
