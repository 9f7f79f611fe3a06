/** Where the app opens: the channel one was in last, else the one with the newest talk, else the welcome. */
import type { QueryClient } from "@tanstack/react-query";

import { type Channel, channelsQuery } from "@/api/channels";
import { meQuery } from "@/api/me";
import { lastChannel } from "@/lib/last";

export type Start = { to: "/channels/$channelId"; params: { channelId: string } } | { to: "/welcome" };

export async function start(client: QueryClient): Promise<Start> {
  const [me, channels] = await Promise.all([
    client.query({ ...meQuery, staleTime: "static" }),
    client.query({ ...channelsQuery(), staleTime: "static" }),
  ]);
  return choose(channels, lastChannel(me.user.id));
}

export function choose(channels: readonly Channel[], last: string | null): Start {
  const open = channels.filter((channel) => !channel.archived_at);
  const found = open.find(({ id }) => id === last) ?? newest(open);
  return found ? { to: "/channels/$channelId", params: { channelId: found.id } } : { to: "/welcome" };
}

function newest(channels: readonly Channel[]): Channel | undefined {
  const talked = channels.filter((channel) => channel.last_message_at);
  return talked.sort((a, b) => (b.last_message_at ?? "").localeCompare(a.last_message_at ?? ""))[0];
}
