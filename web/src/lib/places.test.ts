import { expect, test } from "vitest";

import { locales, sample, zones } from "./places";

test("zones begin with UTC and keep the one that is set, each once", () => {
  const found = zones("Mars/Olympus");
  expect(found[0]).toBe("UTC");
  expect(found).toContain("Europe/Paris");
  expect(found.at(-1)).toBe("Mars/Olympus");
  expect(new Set(found).size).toBe(found.length);
});

test("locales are in words and keep the one that is set", () => {
  const found = locales("eo");
  expect(found).toContainEqual({ value: "eo", label: "Esperanto" });
  expect(found.find((each) => each.value === "de-CH")?.label).toMatch(/Swiss/);
  expect(locales("x_").map((each) => each.value)).toContain("x_");
});

test("a sample is written by the locale in the zone", () => {
  const now = new Date("2026-03-12T23:30:00Z");
  expect(sample("de", "Europe/Berlin", now)).toMatch(/Freitag/);
  expect(sample("en_GB", "UTC", now)).toMatch(/Thursday/);
  expect(sample("en", "Mars/Olympus", now)).toBeNull();
});
