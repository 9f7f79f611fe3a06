import { Button } from "@mantine/core";
import { IconAlertTriangle, IconCloudOff, IconLock, IconMapQuestion } from "@tabler/icons-react";

import { ApiError } from "@/api/client";

import classes from "./State.module.css";

interface Props {
  error: unknown;
  retry?: () => void;
  /** What was being loaded, in words: "the agents". */
  what?: string;
  /** One line in a list instead of a whole page. */
  inline?: boolean;
  /** All there is on the page: the title is its heading. */
  page?: boolean;
}

interface Words {
  title: string;
  detail: string;
  icon: typeof IconAlertTriangle;
  /** Nothing is broken: no rights, or not there. */
  calm: boolean;
  id: string | null;
}

/** What went wrong, in words that say what to do: a load failure is never an empty list. */
export function ErrorState({ error, retry, what, inline = false, page = false }: Props) {
  const { title, detail, icon: Icon, calm, id } = describe(error, what);
  const Title = page ? "h1" : "p";
  const button = retry && !(calm && !inline) && (
    <Button size="xs" variant="default" onClick={retry}>
      Try again
    </Button>
  );
  if (inline) {
    return (
      <div role="alert" className={classes.inline} data-calm={calm || undefined}>
        <span>
          <strong>{title}.</strong> {detail}
        </span>
        {button}
      </div>
    );
  }
  return (
    <div role="alert" className={classes.state}>
      <Icon className={classes.icon} data-calm={calm || undefined} size={28} stroke={1.5} aria-hidden />
      <Title className={classes.title}>{title}</Title>
      <div className={classes.words}>{detail}</div>
      {id && !detail.includes(id) && <div className={classes.small}>Reference {id}</div>}
      {button && <div className={classes.action}>{button}</div>}
    </div>
  );
}

function describe(error: unknown, what?: string): Words {
  const name = what ?? "this page";
  if (!(error instanceof ApiError)) {
    const detail = "Something in this page failed. Nothing you wrote to the server is lost.";
    return { title: `Couldn't show ${name}`, detail, icon: IconAlertTriangle, calm: false, id: null };
  }
  const { status, detail, id } = error;
  if (status === 0) return { title: error.title, detail, icon: IconCloudOff, calm: false, id };
  if (status === 403) return { title: `You may not see ${name}`, detail, icon: IconLock, calm: true, id };
  if (status === 404) {
    const gone = "It may have been removed, or it belongs to people you are not among.";
    return { title: `There is no such thing here`, detail: gone, icon: IconMapQuestion, calm: true, id };
  }
  return { title: `Couldn't load ${name}`, detail, icon: IconAlertTriangle, calm: false, id };
}
