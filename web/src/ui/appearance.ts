/** How a person likes the app on this device: density and the way hours are written. Light and dark are Mantine's. */
import { useSyncExternalStore } from "react";

import { setHours, type Hours } from "@/lib/time";

import "./appearance.css";

export type Density = "comfortable" | "compact";

export interface Appearance {
  density: Density;
  hours: Hours;
}

const KEY = "retinue-appearance";
const DEFAULT: Appearance = { density: "comfortable", hours: "auto" };
const listeners = new Set<() => void>();

let current = read();

/** Call once, before anything is drawn. */
export function applyAppearance(): void {
  document.documentElement.dataset["density"] = current.density;
  setHours(current.hours);
}

export function useAppearance(): [Appearance, (change: Partial<Appearance>) => void] {
  return [useSyncExternalStore(subscribe, () => current), change];
}

function change(part: Partial<Appearance>): void {
  current = { ...current, ...part };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // a browser that keeps nothing still shows it until the page is left
  }
  applyAppearance();
  listeners.forEach((each) => each());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Appearance {
  try {
    return parsed(JSON.parse(localStorage.getItem(KEY) ?? "null"));
  } catch {
    return DEFAULT;
  }
}

/** What was stored, read without trust. */
export function parsed(stored: unknown): Appearance {
  const found = (typeof stored === "object" && stored !== null ? stored : {}) as Record<string, unknown>;
  const hours = (["h12", "h23"] as const).find((each) => each === found["hours"]) ?? "auto";
  return { density: found["density"] === "compact" ? "compact" : "comfortable", hours };
}
