/** Where one was last, in this browser, by person: nothing secret, and nothing is lost with it. */

const KEY = "retinue-last-channel";

export function lastChannel(userId: string, store: Pick<Storage, "getItem"> = localStorage): string | null {
  try {
    return store.getItem(`${KEY}:${userId}`);
  } catch {
    return null;
  }
}

export function rememberChannel(userId: string, channelId: string, store: Pick<Storage, "setItem"> = localStorage): void {
  try {
    store.setItem(`${KEY}:${userId}`, channelId);
  } catch {
    // a browser that keeps nothing starts elsewhere next time
  }
}
