import { ActionIcon } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect, useRef, useState } from "react";

import { startLive } from "@/api/live";
import { useMe } from "@/api/me";
import { setPlace } from "@/lib/time";
import { fetchLater, later } from "@/ui/later";

import { ConnectionBar } from "./ConnectionBar";
import { useArrival } from "./arrival";
import classes from "./Shell.module.css";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./useShortcuts";

const Palette = later(() => import("./Palette").then((module) => module.Palette));
const Help = later(() => import("./Help").then((module) => module.Help));
const Sheet = later(() => import("./Sheet").then((module) => module.Sheet));

/** The frame of every page but the sign-in: sidebar, connection state, palette, keys, focus. */
export function Shell() {
  const main = useRef<HTMLElement>(null);
  const [paletteOpens, setPaletteOpens] = useState(0);
  const [help, setHelp] = useState<boolean | null>(null); // null: never asked for
  const openPalette = () => setPaletteOpens((count) => count + 1);
  const openHelp = () => setHelp(true);
  useLive();
  useEffect(fetchLater, []);
  useOwnPlace();
  useShortcuts({ palette: openPalette, help: openHelp });
  const { title, announcement } = useArrival(main);
  const sidebar = <Sidebar onSearch={openPalette} onHelp={openHelp} />;

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <Side>{sidebar}</Side>
      <div className={classes.column}>
        <ConnectionBar />
        <main id="main" ref={main} tabIndex={-1} className={classes.main} aria-label={title}>
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <div role="status" aria-live="polite" className={classes.announcer}>
        {announcement}
      </div>
      {paletteOpens > 0 && <Palette opens={paletteOpens} onHelp={openHelp} />}
      {help !== null && <Help opened={help} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** The sidebar: a column, or on a phone a sheet behind a button. */
function Side({ children }: { children: React.ReactNode }) {
  const phone = useMediaQuery("(max-width: 39.99em)", window.matchMedia("(max-width: 39.99em)").matches);
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.href });
  const account = useMe().data?.account.name;
  const [shownAt, setShownAt] = useState(path);
  if (shownAt !== path) {
    setShownAt(path);
    setOpen(false);
  }
  if (!phone) return <div className={classes.side}>{children}</div>;
  return (
    <>
      <ActionIcon className={classes.burger} size={44} aria-label="Open sidebar" onClick={() => setOpen(true)}>
        <IconMenu2 size={20} stroke={1.5} />
      </ActionIcon>
      <Sheet title={account} opened={open} onClose={() => setOpen(false)}>
        {children}
      </Sheet>
    </>
  );
}

function useLive(): void {
  const client = useQueryClient();
  useEffect(() => startLive(client), [client]);
}

/** Times are shown in the zone and manner that the person has chosen. */
function useOwnPlace(): void {
  const { data } = useMe();
  setPlace(data?.user.locale, data?.user.time_zone);
}
