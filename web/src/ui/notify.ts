import { ApiError } from "@/api/client";

import { showNotice } from "./notices";

/** Says in a corner that something a person just did has failed, and what to do. */
export function notifyError(error: unknown, what: string): void {
  const detail = error instanceof ApiError ? error.detail : "Try again in a moment.";
  showNotice({ color: "red", title: what, message: detail, autoClose: 8000 });
}

/** Says in a corner that something worked, where the page itself does not show it. */
export function notifyDone(message: string): void {
  showNotice({ message, autoClose: 4000 });
}
