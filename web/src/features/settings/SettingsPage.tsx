/** Settings: sections on the left, one page each. */
import { Link, useParams } from "@tanstack/react-router";
import { createElement, lazy, Suspense, useEffect, useRef, type ComponentType } from "react";

import { EmptyState } from "@/ui/EmptyState";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import { GROUPS, SECTIONS, type SectionId } from "./sections";
import classes from "./SettingsPage.module.css";

const PAGES: Readonly<Record<SectionId, ComponentType>> = {
  profile: lazy(() => import("./Profile")),
  security: lazy(() => import("./Security")),
  keys: lazy(() => import("./Keys")),
  appearance: lazy(() => import("./Appearance")),
  account: lazy(() => import("./Account")),
  people: lazy(() => import("./People")),
  teams: lazy(() => import("./Teams")),
  roles: lazy(() => import("./Roles")),
  models: lazy(() => import("./Models")),
  storage: lazy(() => import("./Storage")),
};

export default function SettingsPage() {
  const { section } = useParams({ strict: false });
  const found = SECTIONS.find((each) => each.id === section);
  return (
    <div className={classes.page}>
      <PageHeader title="Settings" note={found?.title} />
      <div className={classes.body}>
        <Nav section={section} />
        <div className={classes.scroll} key={section}>
          <div className={classes.content}>
            {found ? (
              <Suspense fallback={<ListSkeleton rows={6} height={52} />}>{createElement(PAGES[found.id])}</Suspense>
            ) : (
              <EmptyState
                title="There is no such section."
                action={
                  <LinkAnchor to="/settings/$section" params={{ section: "profile" }}>
                    Go to your profile
                  </LinkAnchor>
                }
              />
            )}
          </div>
        </div>
      </div>
    </div>
  );
}

function Nav({ section }: { section: string | undefined }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    nav.current?.querySelector("[aria-current='page']")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [section]);
  return (
    <nav ref={nav} className={classes.nav} aria-label="Settings">
      {GROUPS.map((group, at) => (
        <div key={group} style={{ display: "contents" }}>
          <div className={classes.group} data-first={at === 0 || undefined} id={`settings-${group}`}>
            {group}
          </div>
          <ul className={classes.links} aria-labelledby={`settings-${group}`}>
            {SECTIONS.filter((each) => each.group === group).map(({ id, title, icon: Icon }) => (
              <li key={id}>
                <Link to="/settings/$section" params={{ section: id }} className={classes.link}>
                  <Icon size={18} stroke={1.5} aria-hidden />
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
