/** Time zones and locales to choose from. */

interface Option {
  value: string;
  label: string;
}

/** Every zone the browser knows, with UTC first; one that is set but not known here is kept. */
export function zones(current: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return [...new Set(["UTC", ...known, current])];
}

const LOCALES = [
  "en-GB",
  "en-US",
  "en-AU",
  "en-CA",
  "en-IE",
  "en-IN",
  "ar",
  "cs",
  "da",
  "de",
  "de-AT",
  "de-CH",
  "el",
  "es",
  "es-MX",
  "fi",
  "fr",
  "fr-CA",
  "fr-CH",
  "he",
  "hi",
  "hu",
  "id",
  "it",
  "ja",
  "ko",
  "nb",
  "nl",
  "pl",
  "pt",
  "pt-BR",
  "ro",
  "ru",
  "sv",
  "th",
  "tr",
  "uk",
  "vi",
  "zh-CN",
  "zh-TW",
];

/** Languages with their countries in English words; the one that is set is among them. */
export function locales(current: string): Option[] {
  const words = new Intl.DisplayNames("en", { type: "language" });
  const name = (tag: string) => {
    try {
      return words.of(tag.replace("_", "-")) ?? tag;
    } catch {
      return tag;
    }
  };
  return [...new Set([current, ...LOCALES])]
    .map((value) => ({ value, label: name(value) }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

/** A moment as this locale and zone write it; null when the browser knows one of them not. */
export function sample(locale: string, zone: string, now: Date): string | null {
  try {
    const options = { dateStyle: "full", timeStyle: "short", timeZone: zone } as const;
    return new Intl.DateTimeFormat(locale.replace("_", "-"), options).format(now);
  } catch {
    return null;
  }
}
