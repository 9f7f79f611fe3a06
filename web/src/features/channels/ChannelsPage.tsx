/** Every channel one can see: find one, open it, make one. */
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { useChannels, type Channel, type ChannelKind } from "@/api/channels";
import { findChannels, KIND_ORDER, KINDS } from "@/lib/channels";
import { plural } from "@/lib/format";
import { DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { FilterChips } from "@/ui/FilterChips";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { PageHeader } from "@/ui/PageHeader";

import { columns, CompactChannel } from "./channelColumns";
import classes from "./ChannelsPage.module.css";
import { NewChannel } from "./NewChannel";

export default function ChannelsPage() {
  const search: { new?: boolean } = useSearch({ strict: false });
  const navigate = useNavigate();
  const [archived, setArchived] = useState(false);
  const channels = useChannels(archived);
  const making = (open: boolean) => void navigate({ to: "/channels", search: open ? { new: true } : {}, replace: !open });
  const note = channels.data && plural(channels.data.length, archived ? "archived channel" : "channel");
  return (
    <div className={classes.page}>
      <PageHeader title="Channels" note={note}>
        <Button leftSection={<IconPlus size={16} stroke={1.5} />} onClick={() => making(true)}>
          New channel
        </Button>
      </PageHeader>
      <List channels={channels} archived={archived} onArchived={setArchived} onNew={() => making(true)} />
      <NewChannel opened={search.new === true} onClose={() => making(false)} />
    </div>
  );
}

interface ListProps {
  channels: ReturnType<typeof useChannels>;
  archived: boolean;
  onNew: () => void;
}

function List({ channels, archived, onArchived, onNew }: ListProps & { onArchived: (archived: boolean) => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState("");
  const [kind, setKind] = useState<ChannelKind>();
  const shown = useMemo(() => findChannels(channels.data ?? [], { query, kind }), [channels.data, query, kind]);
  const open = (channel: Channel) =>
    void navigate({ to: "/channels/$channelId", params: { channelId: channel.id }, search: {} });
  return (
    <DataTable
      id="channels"
      label="Channels"
      columns={columns}
      rows={shown}
      rowKey={(channel) => channel.id}
      onOpen={open}
      compact={(channel) => <CompactChannel channel={channel} />}
      topKey={`${archived} ${kind ?? ""} ${query}`}
      toolbar={
        <div className={classes.toolbar}>
          <TextInput
            className={classes.search}
            type="search"
            aria-label="Search channels"
            placeholder="Search by name"
            leftSection={<IconSearch size={16} stroke={1.5} />}
            value={query}
            onChange={(event) => setQuery(event.currentTarget.value)}
          />
          <SegmentedControl
            value={archived ? "archived" : "open"}
            onChange={(value) => onArchived(value === "archived")}
            aria-label="Which channels"
            data={[
              { value: "open", label: "Open" },
              { value: "archived", label: "Archived" },
            ]}
          />
          <FilterChips
            filters={[
              {
                id: "kind",
                label: "Kind",
                value: kind,
                options: KIND_ORDER.map((value) => ({ value, label: KINDS[value].label })),
              },
            ]}
            onChange={(_, value) => setKind(value as ChannelKind | undefined)}
            onClear={() => setKind(undefined)}
          />
        </div>
      }
    >
      {instead({ channels, archived, onNew, shown, wanted: query.trim() !== "" || kind !== undefined })}
    </DataTable>
  );
}

interface InsteadProps extends ListProps {
  shown: readonly Channel[];
  wanted: boolean;
}

/** What stands in place of rows; nothing where there are some. */
function instead({ channels, archived, onNew, shown, wanted }: InsteadProps) {
  if (channels.isError && !channels.data) {
    return <ErrorState error={channels.error} what="the channels" retry={() => void channels.refetch()} />;
  }
  if (!channels.data) return <ListSkeleton rows={8} label="Loading channels" />;
  if (shown.length > 0) return null;
  if (wanted) return <EmptyState title="No channel fits." />;
  if (archived) return <EmptyState title="Nothing is archived." />;
  return (
    <EmptyState
      title="A quiet place so far."
      action={
        <Button variant="default" onClick={onNew}>
          New channel
        </Button>
      }
    >
      Make a channel for what you want to talk about with people and agents.
    </EmptyState>
  );
}
