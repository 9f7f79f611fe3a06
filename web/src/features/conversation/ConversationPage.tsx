import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";

import { useChannel, useChannels, type Channel } from "@/api/channels";
import { useMe } from "@/api/me";
import { readHistory } from "@/api/messages";
import { rememberChannel } from "@/lib/last";
import { ErrorState } from "@/ui/ErrorState";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { isTouch } from "@/ui/touch";

import { Composer } from "./composer/Composer";
import { ConversationContext, type ConversationValue } from "./context";
import { Conversation } from "./Conversation";
import { Header } from "./Header";
import classes from "./ConversationPage.module.css";
import { DirectoryContext, useMakeDirectory } from "./useDirectory";

const ThreadPanel = lazy(() => import("./thread/ThreadPanel").then((module) => ({ default: module.ThreadPanel })));
const ChannelDetails = lazy(() => import("./details/ChannelDetails").then((module) => ({ default: module.ChannelDetails })));

interface Search {
  message?: string;
  thread?: string;
  panel?: "details" | "members";
}

/** A channel: what is said in it, what agents do there, and the place to write. */
export default function ConversationPage() {
  const { channelId = "" } = useParams({ strict: false });
  const search: Search = useSearch({ strict: false });
  const channel = useOneChannel(channelId);
  const directory = useMakeDirectory(channelId);
  const shared = useShared(channelId, channel.data ?? null);
  useRemembered(channel.data ?? null);

  if (channel.error && !channel.data) return <ErrorState page error={channel.error} what="this channel" retry={channel.again} />;
  if (!channel.data) return <ListSkeleton rows={8} height={56} avatar label="Loading the channel" />;
  return (
    <ConversationContext value={shared.value}>
      <DirectoryContext value={directory}>
        <div className={classes.page} data-dropzone>
          <div className={classes.column}>
            <Header channel={channel.data} panel={search.panel ?? null} onPanel={shared.setPanel} />
            <Conversation key={channelId} channel={channel.data} target={search.message ?? null} />
            <Composer channelId={channelId} autoFocus={!isTouch()} />
          </div>
          <Suspense fallback={null}>
            {search.thread ? (
              <ThreadPanel key={search.thread} channelId={channelId} messageId={search.thread} onClose={shared.close} />
            ) : search.panel ? (
              <ChannelDetails channelId={channelId} tab={search.panel} onClose={shared.close} />
            ) : null}
          </Suspense>
        </div>
      </DirectoryContext>
    </ConversationContext>
  );
}

/** The channel, at once where the list of channels knows it already. */
function useOneChannel(channelId: string) {
  const one = useChannel(channelId);
  const listed = useChannels().data?.find((channel) => channel.id === channelId);
  return { data: one.data ?? listed, error: one.error, again: () => void one.refetch() };
}

function useRemembered(channel: Channel | null): void {
  const me = useMe().data?.user.id;
  const id = channel?.id;
  useEffect(() => {
    if (me && id) rememberChannel(me, id);
  }, [me, id]);
}

/** What rows may ask of the page. */
function useShared(channelId: string, channel: Channel | null) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useMe().data?.user.id;
  const [edited, setEdited] = useState<{ channelId: string; id: string | null }>({ channelId, id: null });
  const editing = edited.channelId === channelId ? edited.id : null;
  const canWrite = channel !== null && channel.archived_at === null;

  const go = useCallback(
    (search: Search) => void navigate({ to: "/channels/$channelId", params: { channelId }, search }),
    [navigate, channelId],
  );
  const setEditing = useCallback((id: string | null) => setEdited({ channelId, id }), [channelId]);
  const editLastOwn = useCallback(() => {
    const items = readHistory(client, channelId)?.items ?? [];
    const last = canWrite && items.findLast((item) => item.user_id === me && item.status === "sent");
    if (last) setEditing(last.id);
    return Boolean(last);
  }, [client, channelId, me, canWrite, setEditing]);
  const openThread = useCallback((messageId: string) => go({ thread: messageId }), [go]);

  const value = useMemo(
    (): ConversationValue => ({ channelId, editing, setEditing, editLastOwn, openThread, canWrite }),
    [channelId, editing, setEditing, editLastOwn, openThread, canWrite],
  );
  const setPanel = useCallback((panel: Search["panel"] | null) => go(panel ? { panel } : {}), [go]);
  const close = useCallback(() => go({}), [go]);
  return { value, setPanel, close };
}
