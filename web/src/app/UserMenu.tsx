import { type MantineColorScheme, Menu, UnstyledButton, useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { IconChevronUp, IconKeyboard, IconLogout, IconUser } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import { useMe } from "@/api/me";
import { Avatar } from "@/ui/Avatar";

import { useLeave } from "./useLeave";
import classes from "./UserMenu.module.css";

const SCHEMES = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["auto", "As the system"],
] as const satisfies (readonly [MantineColorScheme, string])[];

/** Oneself: profile, appearance, keys, the way out. */
export function UserMenu({ onHelp }: { onHelp: () => void }) {
  const { data } = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const leave = useLeave();
  if (!data) return null;
  return (
    <div className={classes.box}>
      <Menu position="top-start" width={232}>
        <Menu.Target>
          <UnstyledButton className={classes.button}>
            <Avatar name={data.user.name} size={24} />
            <span className={classes.name}>{data.user.name}</span>
            <VisuallyHidden>: your menu</VisuallyHidden>
            <IconChevronUp size={16} stroke={1.5} aria-hidden />
          </UnstyledButton>
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
    </div>
  );
}
