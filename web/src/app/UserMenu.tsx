import { UnstyledButton, VisuallyHidden } from "@mantine/core";
import { IconChevronUp } from "@tabler/icons-react";
import { useRef, useState } from "react";

import { useMe } from "@/api/me";
import { Avatar } from "@/ui/Avatar";
import { later } from "@/ui/later";

import classes from "./UserMenu.module.css";

const OwnMenu = later(() => import("./OwnMenu").then((module) => module.OwnMenu));

/** Oneself: profile, appearance, keys, the way out. */
export function UserMenu({ onHelp }: { onHelp: () => void }) {
  const { data } = useMe();
  const button = useRef<HTMLButtonElement>(null);
  const [opened, setOpened] = useState(false);
  const [near, setNear] = useState(false);
  const come = () => setNear(true);
  if (!data) return null;
  return (
    <div className={classes.box} onPointerEnter={come} onFocus={come}>
      <UnstyledButton ref={button} className={classes.button} aria-haspopup="menu" aria-expanded={opened}
        onClick={() => setOpened(!opened)}> {/* prettier-ignore */}
        <Avatar name={data.user.name} size={24} />
        <span className={classes.name}>{data.user.name}</span>
        <VisuallyHidden>: your menu</VisuallyHidden>
        <IconChevronUp size={16} stroke={1.5} aria-hidden />
      </UnstyledButton>
      {near && <OwnMenu target={button} opened={opened} onChange={setOpened} onHelp={onHelp} />}
    </div>
  );
}
