import { Button } from "@mantine/core";
import { IconMapQuestion } from "@tabler/icons-react";
import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";

import { ApiError } from "@/api/client";
import { ErrorState } from "@/ui/ErrorState";

import classes from "./PageError.module.css";

/** What a page that failed shows in its place; the rest of the app goes on. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const { reset: forget } = useQueryErrorResetBoundary();
  if (isOldBuild(error)) return <OldBuild />;
  const retry = () => {
    forget();
    reset();
    void router.invalidate();
  };
  return (
    <div className={classes.page}>
      <ErrorState page error={error} retry={retry} />
    </div>
  );
}

/** After an upgrade the server no longer has the files of the page that is open. */
function isOldBuild(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script failed/i.test(error.message);
}

const WORDS = "Retinue may have been upgraded, or the connection broke. Trying again loads the present version; drafts are kept.";
const GONE = new ApiError(0, "page_not_loaded", "Couldn't load this page", WORDS);

function OldBuild() {
  return (
    <div className={classes.page}>
      <ErrorState page error={GONE} retry={() => location.reload()} />
    </div>
  );
}

export function NotFoundPage() {
  return (
    <div className={classes.page}>
      <IconMapQuestion size={28} stroke={1.5} className={classes.icon} aria-hidden />
      <h1 className={classes.title}>There is no page at this address</h1>
      <p className={classes.words}>It may have been moved or removed.</p>
      <Button component={Link} to="/" variant="default">
        Go to the start
      </Button>
    </div>
  );
}
