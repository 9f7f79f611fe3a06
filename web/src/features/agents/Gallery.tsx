/** Ready-made agents of the catalogue, to install with one click. */
import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";

import { useCatalogue, useInstallAgent, type Agent, type CatalogEntry } from "@/api/agents";
import { label, plural } from "@/lib/format";
import { Avatar } from "@/ui/Avatar";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkButton } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyDone, notifyError } from "@/ui/notify";

import classes from "./AgentsPage.module.css";
import { freeHandle } from "./handles";

export function Gallery({ agents }: { agents: readonly Agent[] }) {
  const catalogue = useCatalogue();
  return (
    <div className={classes.gallery}>
      {catalogue.isError ? (
        <ErrorState error={catalogue.error} what="the catalogue" retry={() => void catalogue.refetch()} />
      ) : !catalogue.data ? (
        <ListSkeleton rows={3} height={96} label="Loading the catalogue" />
      ) : catalogue.data.length === 0 ? (
        <EmptyState title="Every agent here is your own.">This installation has no catalogue.</EmptyState>
      ) : (
        <ul className={classes.cards}>
          {catalogue.data.map((entry) => (
            <Card key={entry.slug} entry={entry} agents={agents} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Card({ entry, agents }: { entry: CatalogEntry; agents: readonly Agent[] }) {
  const navigate = useNavigate();
  const install = useInstallAgent();
  const installed = agents.find((agent) => agent.catalog_slug === entry.slug);
  const accent = text(entry.manifest["accent_colour"]) ?? "var(--rt-line-strong)";
  const slug = freeHandle(entry.slug, agents);

  function onInstall(): void {
    install.mutate(
      { slug: entry.slug, agent_slug: slug === entry.slug ? null : slug },
      {
        onSuccess: (agent) => {
          notifyDone(`${agent.name} is installed as @${agent.slug}.`);
          void navigate({ to: "/agents/$agentId", params: { agentId: agent.id } });
        },
        onError: (error) => notifyError(error, `Couldn't install ${entry.name}`),
      },
    );
  }

  return (
    <li className={classes.card} style={{ "--accent": accent } as React.CSSProperties}>
      <div className={classes.cardHead}>
        <Avatar kind="agent" name={entry.name} accent={accent} image={text(entry.manifest["avatar"])} size={28} />
        <h2>{entry.name}</h2>
      </div>
      <p className={classes.cardText}>{text(entry.manifest["description"]) ?? "No description."}</p>
      <div className={classes.cardFoot}>
        <span>
          {label(entry.category)} · {plural(entry.default_tool_ids.length, "tool")}
        </span>
        {installed && (
          <LinkButton to="/agents/$agentId" params={{ agentId: installed.id }} size="xs" variant="subtle" ml="auto">
            Open
          </LinkButton>
        )}
        <Button
          size="xs"
          variant={installed ? "default" : "filled"}
          loading={install.isPending}
          onClick={onInstall}
          aria-label={installed ? `Install another ${entry.name}` : `Install ${entry.name}`}
        >
          {installed ? "Install another" : "Install"}
        </Button>
      </div>
    </li>
  );
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
