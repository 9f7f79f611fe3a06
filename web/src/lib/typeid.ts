/** What an id tells of itself. */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARS = 10; // of 26: the 48 bits of a UUIDv7 that are its time, after two bits that are always zero

/** When the thing was made, in milliseconds since 1970; null for what is no id of this kind. */
export function madeAt(id: string): number | null {
  const body = id.slice(id.lastIndexOf("_") + 1);
  if (body.length !== 26) return null;
  let value = 0;
  for (const char of body.slice(0, TIME_CHARS)) {
    const digit = ALPHABET.indexOf(char);
    if (digit < 0) return null;
    value = value * 32 + digit;
  }
  return value < 2 ** 48 ? value : null;
}
