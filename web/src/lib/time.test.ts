import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { between, clock, dayNumber, dayTitle, duration, moment, relative, setHours, setPlace } from "./time";

const NOW = Date.parse("2026-03-12T14:00:00Z");

beforeEach(() => setPlace("en-GB", "UTC"));
afterEach(() => setPlace(undefined, undefined));

describe("relative", () => {
  it.each([
    ["2026-03-12T13:59:30Z", "now"],
    ["2026-03-12T13:55:00Z", "5 min ago"],
    ["2026-03-12T03:00:00Z", "11 h ago"],
    ["2026-03-10T13:55:00Z", "10 Mar"],
    ["2024-03-10T13:55:00Z", "10 Mar 2024"],
    ["2026-03-12T14:10:00Z", "in 10 min"],
  ])("%s reads as %s", (when, words) => expect(relative(when, NOW)).toBe(words));
});

describe("dayTitle", () => {
  it.each([
    ["2026-03-12T00:05:00Z", "Today"],
    ["2026-03-11T23:55:00Z", "Yesterday"],
    ["2026-03-09T12:00:00Z", "Monday"],
    ["2026-02-09T12:00:00Z", "Monday 9 February"],
  ])("%s is %s", (when, words) => expect(dayTitle(when, NOW).replace(",", "")).toBe(words));

  it("begins days where the person is", () => {
    setPlace("en-GB", "Pacific/Auckland"); // 13 hours ahead
    expect(dayNumber("2026-03-12T10:59:00Z")).toBe(dayNumber("2026-03-12T00:00:00Z"));
    expect(dayNumber("2026-03-12T11:01:00Z")).toBe(dayNumber("2026-03-12T00:00:00Z") + 1);
  });
});

it("shows the time in the person's zone, and copes with one that nobody knows", () => {
  setPlace("en-GB", "Asia/Tokyo");
  expect(clock("2026-03-12T14:05:00Z")).toBe("23:05");
  setPlace("en-GB", "Mars/Olympus");
  expect(clock("2026-03-12T14:05:00Z")).toMatch(/:05$/);
});

it("tells moments of today from those of other days", () => {
  expect(moment("2026-03-12T09:05:07Z", NOW)).toBe("09:05:07");
  expect(moment("2026-03-11T23:59:59Z", NOW)).toBe("11 Mar, 23:59:59");
  expect(moment("2025-03-11T23:59:59Z", NOW)).toBe("11 Mar 2025, 23:59:59");
});

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [999.4, "999 ms"],
    [1_234, "1.2 s"],
    [9_990, "10 s"],
    [185_000, "3 min 5 s"],
    [120_000, "2 min"],
    [7_440_000, "2 h 4 min"],
    [266_400_000, "3 d 2 h"],
  ])("%d ms is %s", (value, words) => expect(duration(value)).toBe(words));
});

it("measures to now what has not ended", () => {
  expect(between("2026-03-12T13:59:58Z", null, NOW)).toBe(2_000);
  expect(between("2026-03-12T13:59:58Z", "2026-03-12T13:59:59Z", NOW)).toBe(1_000);
});

describe("hours", () => {
  afterEach(() => setHours("auto"));

  it("are written as the person chose, whatever the locale", () => {
    expect(clock(NOW)).toBe("14:00");
    setHours("h12");
    expect(clock(NOW).toLowerCase()).toMatch(/^0?2:00\s?pm$/);
    setPlace("en-US", "UTC");
    setHours("h23");
    expect(clock(NOW)).toBe("14:00");
  });
});
