import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

import { useSignOut } from "@/api/session";
import { notifyError } from "@/ui/notify";

/** Signs out, and leaves nothing of what was read behind in this page. */
export function useLeave(): () => void {
  const signOut = useSignOut();
  const navigate = useNavigate();
  const cache = useQueryClient();
  return () => {
    signOut
      .mutateAsync()
      .then(() => navigate({ to: "/sign-in", replace: true }))
      .then(() => cache.clear(), (error: unknown) => notifyError(error, "Couldn't sign out"));
  };
}
