import { type MantineColorScheme, Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import {
  IconCheck,
  IconChevronUp,
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

import { useMe } from "@/api/me";
import { Avatar } from "@/ui/Avatar";

import { useLeave } from "./useLeave";
import classes from "./UserMenu.module.css";

const SCHEMES = [
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
  { value: "auto", label: "As the system", icon: IconDeviceDesktop },
] as const satisfies { value: MantineColorScheme; label: string; icon: typeof IconSun }[];

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
          <UnstyledButton className={classes.button} aria-label={`${data.user.name}: your menu`}>
            <Avatar name={data.user.name} size={24} />
            <span className={classes.name}>{data.user.name}</span>
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
          {SCHEMES.map(({ value, label, icon: Icon }) => (
            <Menu.Item
              key={value}
              role="menuitemradio"
              aria-checked={colorScheme === value}
              closeMenuOnClick={false}
              leftSection={<Icon size={18} stroke={1.5} />}
              rightSection={colorScheme === value && <IconCheck size={16} stroke={1.5} aria-hidden />}
              onClick={() => setColorScheme(value)}
            >
              {label}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<IconLogout size={18} stroke={1.5} />} onClick={leave}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </div>
  );
}
