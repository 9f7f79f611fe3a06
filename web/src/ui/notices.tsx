/** Notices in a corner of the page. What draws them is fetched a little after the page, or with the first notice. */
import type { NotificationData } from "@mantine/notifications";
import { useSyncExternalStore } from "react";

import { later } from "./later";

const fetchAll = () => import("@mantine/notifications");
const Corner = later(() => fetchAll().then((module) => module.Notifications));

const watchers = new Set<() => void>();
let asked = false;

function ask(): void {
  asked = true;
  watchers.forEach((each) => each());
}

function watch(then: () => void): () => void {
  watchers.add(then);
  return () => void watchers.delete(then);
}

/** Shows a notice; returns what takes it away. */
export function showNotice(notice: NotificationData): () => void {
  let over = false;
  let hide = () => void (over = true);
  ask();
  void fetchAll().then(
    ({ notifications }) => {
      if (over) return;
      const id = notifications.show(notice);
      hide = () => void notifications.hide(id);
    },
    () => undefined, // without a network before it was ever fetched: the bar above the page tells of that
  );
  return () => hide();
}

/** Where notices appear. */
export function Notices() {
  const needed = useSyncExternalStore(watch, () => asked);
  return needed && <Corner position="bottom-right" limit={4} />;
}
