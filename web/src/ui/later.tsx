import { type ComponentType, useEffect, useState } from "react";

export interface Later<P> {
  (props: P): React.ReactNode;
  /** Fetches it ahead, when somebody is about to need it. */
  fetch: () => void;
}

const SOON_MS = 5_000;
const known: (() => Promise<unknown>)[] = [];

/**
 * A part of a page that a first view does without: fetched when it is first drawn, or at a sign that it soon will be.
 * Nothing is drawn until it is there, nor where it cannot be fetched: the next time tries again.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let found: ComponentType<P> | undefined;
  let coming: Promise<void> | undefined;
  const fetch = () =>
    (coming ??= load().then(
      (part) => void (found = part),
      () => (coming = undefined),
    ));
  known.push(fetch);
  function Part(props: P) {
    const [Found, setFound] = useState(() => found);
    useEffect(() => {
      let gone = false;
      if (!Found) void fetch().then(() => !gone && setFound(() => found));
      return () => {
        gone = true;
      };
    }, [Found]);
    return Found ? <Found {...props} /> : null;
  }
  return Object.assign(Part, { fetch: () => void fetch() });
}

/** Some seconds from now, fetches all such parts that are known by then, so that they are there without a network too. */
export function fetchLater(): () => void {
  const timer = setTimeout(() => void known.reduce((before, fetch) => before.then(fetch), Promise.resolve<unknown>(null)), SOON_MS);
  return () => clearTimeout(timer);
}
