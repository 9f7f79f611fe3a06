/** Times as people read them. The zone and locale are the person's own; both are set once, at sign-in. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Place {
  locale: string | undefined;
  zone: string | undefined;
}

let place: Place = { locale: undefined, zone: undefined };

/** How hours are written: as the locale does, or always to 12 or to 24. */
export type Hours = "auto" | "h12" | "h23";

let hours: Hours = "auto";

/** Writes all hours this way from now on. */
export function setHours(cycle: Hours): void {
  hours = cycle;
}

/** Shows all times in this zone and manner from now on; what the browser does not know is left to the browser. */
export function setPlace(locale: string | undefined, zone: string | undefined): void {
  place = { locale: usable(locale, (each) => new Intl.DateTimeFormat(each)), zone: usable(zone, inZone) };
}

function usable(value: string | undefined, attempt: (value: string) => unknown): string | undefined {
  if (!value) return undefined;
  try {
    attempt(value);
    return value;
  } catch {
    return undefined;
  }
}

function inZone(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(undefined, { timeZone: zone });
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([place, hours, options]);
  let found = formats.get(key);
  if (!found) {
    const cycle = options.hour && hours !== "auto" ? { hourCycle: hours } : {};
    found = new Intl.DateTimeFormat(place.locale, { ...options, ...cycle, timeZone: place.zone });
    formats.set(key, found);
  }
  return found;
}

function ms(when: string | number | Date): number {
  return new Date(when).getTime();
}

/** "now", "5 min ago", "3 h ago" up to a day; then "12 Mar", with the year where it is another one. */
export function relative(when: string | number | Date, now: number = Date.now()): string {
  const age = now - ms(when);
  if (age < -MINUTE) return ahead(when, -age, now);
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  return day(when, now);
}

function ahead(when: string | number | Date, left: number, now: number): string {
  if (left < HOUR) return `in ${Math.round(left / MINUTE)} min`;
  if (left < DAY) return `in ${Math.round(left / HOUR)} h`;
  return day(when, now);
}

/** "12 Mar", or "12 Mar 2024" in another year than now's. */
export function day(when: string | number | Date, now: number = Date.now()): string {
  const sameYear = new Date(when).getFullYear() === new Date(now).getFullYear();
  return format({ day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) }).format(ms(when));
}

/** "12 Mar" of a calendar day that is the same everywhere, given as its midnight in UTC. */
export function calendarDay(midnight: Date): string {
  return new Intl.DateTimeFormat(place.locale, { day: "numeric", month: "short", timeZone: "UTC" }).format(midnight);
}

/** "Today", "Yesterday", "Tuesday" within a week, then "Tuesday, 12 March" (with the year where it is another one). */
export function dayTitle(when: string | number | Date, now: number = Date.now()): string {
  const apart = dayNumber(now) - dayNumber(when);
  if (apart === 0) return "Today";
  if (apart === 1) return "Yesterday";
  const sameYear = new Date(when).getFullYear() === new Date(now).getFullYear();
  const date = { day: "numeric", month: "long", year: sameYear ? undefined : "numeric" } as const;
  return format({ weekday: "long", ...(apart > 1 && apart < 7 ? {} : date) }).format(ms(when));
}

/** A number that is the same for all moments of one calendar day here, and one more for the next day. */
export function dayNumber(when: string | number | Date): number {
  const parts = format({ year: "numeric", month: "numeric", day: "numeric", calendar: "gregory", numberingSystem: "latn" });
  const found = Object.fromEntries(parts.formatToParts(ms(when)).map(({ type, value }) => [type, Number(value)]));
  return Math.round(Date.UTC(found["year"] ?? 0, (found["month"] ?? 1) - 1, found["day"] ?? 1) / DAY);
}

/** "14:05", "2:05 PM". */
export function clock(when: string | number | Date): string {
  return format({ hour: hourDigits(), minute: "2-digit" }).format(ms(when));
}

/** "9:05 AM", but "09:05". */
function hourDigits(): "numeric" | "2-digit" {
  return format({ hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit";
}

/** "14:05:09" of today, "12 Mar, 14:05:09" of another day, with the year where it is another one. */
export function moment(when: string | number | Date, now: number = Date.now()): string {
  const time = format({ hour: hourDigits(), minute: "2-digit", second: "2-digit" }).format(ms(when));
  return dayNumber(when) === dayNumber(now) ? time : `${day(when, now)}, ${time}`;
}

/** "14:05:09.120": for timelines. */
export function clockExact(when: string | number | Date): string {
  const options = { hour: hourDigits(), minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 } as const;
  return format(options).format(ms(when));
}

/** "Tuesday, 12 March 2024 at 14:05:09 CET": what a hover shows. */
export function exact(when: string | number | Date): string {
  const date = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;
  const time = { hour: hourDigits(), minute: "2-digit", second: "2-digit", timeZoneName: "short" } as const;
  return format({ ...date, ...time }).format(ms(when));
}

/** "12 ms", "1.2 s", "14 s", "3 min 5 s", "2 h 4 min", "3 d 2 h". */
export function duration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 9_950) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? two(hours, "h", minutes % 60, "min") : two(Math.floor(hours / 24), "d", hours % 24, "h");
}

function two(many: number, unit: string, rest: number, small: string): string {
  return rest ? `${many} ${unit} ${rest} ${small}` : `${many} ${unit}`;
}

/** Milliseconds from one moment to another; to now where there is no end yet. */
export function between(start: string, end: string | null | undefined, now: number = Date.now()): number {
  return (end ? ms(end) : now) - ms(start);
}
