import { type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { useMounted } from "@mantine/hooks";
import { IconKeyboard, IconLogout, IconUser } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { RefObject } from "react";

import { StandIn } from "@/ui/StandIn";

import { useLeave } from "./useLeave";
import classes from "./UserMenu.module.css";

const SCHEMES = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["auto", "As the system"],
] as const satisfies (readonly [MantineColorScheme, string])[];

interface Props {
  target: RefObject<HTMLElement | null>;
  opened: boolean;
  onChange: (opened: boolean) => void;
  onHelp: () => void;
}

/** What opens above one's name. */
export function OwnMenu({ target, opened, onChange, onHelp }: Props) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = useLeave();
  const here = useMounted(); // it opens only after it was closed, so that the focus comes back to the button
  return (
    <Menu position="top-start" width={232} opened={opened && here} onChange={onChange}>
      <Menu.Target>
        <StandIn of={target} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to="/settings/profile" leftSection={<IconUser size={18} stroke={1.5} />}>
          Profile
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={18} stroke={1.5} />} onClick={onHelp} rightSection={<kbd className={classes.key}>?</kbd>}>
          Keyboard
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)}>
          {SCHEMES.map(([value, label]) => (
            <Menu.RadioItem key={value} value={value} closeMenuOnClick={false}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={18} stroke={1.5} />} onClick={leave}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
