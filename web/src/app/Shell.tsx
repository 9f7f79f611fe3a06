import { ActionIcon, Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { startLive } from "@/api/live";
import { useMe } from "@/api/me";
import { setPlace } from "@/lib/time";

import { ConnectionBar } from "./ConnectionBar";
import { Help } from "./Help";
import { useArrival } from "./arrival";
import classes from "./Shell.module.css";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "./useShortcuts";

const Palette = lazy(() => import("./Palette"));

/** The frame of every page but the sign-in: sidebar, connection state, palette, keys, focus. */
export function Shell() {
  const main = useRef<HTMLElement>(null);
  const [paletteOpens, setPaletteOpens] = useState(0);
  const [help, setHelp] = useState(false);
  const openPalette = () => setPaletteOpens((count) => count + 1);
  const openHelp = () => setHelp(true);
  useLive();
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
      {paletteOpens > 0 && (
        <Suspense fallback={null}>
          <Palette opens={paletteOpens} onHelp={openHelp} />
        </Suspense>
      )}
      <Help opened={help} onClose={() => setHelp(false)} />
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
      <Drawer
        opened={open}
        onClose={() => setOpen(false)}
        size={300}
        padding={0}
        title={account}
        closeButtonProps={{ "aria-label": "Close sidebar" }}
        classNames={{ content: classes.sheet, header: classes.sheetHead, body: classes.sheetBody }}
        transitionProps={{ duration: 150 }}
      >
        {children}
      </Drawer>
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
