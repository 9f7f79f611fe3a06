import { initials } from "@/lib/format";

import classes from "./Avatar.module.css";

interface Props {
  name: string;
  /** An agent's own colour: shown as a ring, never as a ground for text. */
  accent?: string | null;
  /** A path on this server, or a few characters to show instead of initials. Other addresses are not loaded. */
  image?: string | null;
  size?: 20 | 24 | 28 | 32 | 48 | 64;
  /** People are round, agents rounded squares: the shape tells them apart without colour. */
  kind?: "person" | "agent";
}

/** A picture or initials. Decoration: the name stands beside it. */
export function Avatar({ name, accent, image, size = 28, kind = "person" }: Props) {
  const own = image?.startsWith("/") && !image.startsWith("//") ? image : null;
  const letters = image && !own && [...image].length <= 2 ? image : initials(name);
  const style = { "--size": `${size}px`, "--ring": kind === "agent" ? (accent ?? "var(--rt-line-strong)") : "transparent" };
  return (
    <span className={classes.avatar} data-kind={kind} style={style as React.CSSProperties} aria-hidden="true">
      {own ? <img src={own} alt="" width={size} height={size} loading="lazy" /> : letters}
    </span>
  );
}
