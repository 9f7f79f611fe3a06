import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

import { isWriting, meaning } from "./shortcuts";

interface Commands {
  palette: () => void;
  help: () => void;
}

/** Binds the keys that work everywhere. */
export function useShortcuts(commands: Commands): void {
  const navigate = useNavigate();
  const latest = useRef(commands);
  useEffect(() => {
    latest.current = commands;
  });
  useEffect(() => {
    let begun: number | null = null;
    const onKey = (event: KeyboardEvent) => {
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      if (event.defaultPrevented || event.repeat || document.querySelector("[role='dialog']")) return;
      const pressed = { key: event.key, at: event.timeStamp, modified, writing: isWriting(event.target) };
      const meant = meaning(pressed, begun);
      begun = meant.kind === "begun" ? meant.at : null;
      if (meant.kind === "none" || meant.kind === "begun") return;
      event.preventDefault();
      if (meant.kind === "help") latest.current.help();
      else void navigate({ to: meant.place.to });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate]);
}
