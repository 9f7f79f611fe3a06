/** Channels: which there are, who is in them, and changing both. What is said in them is messages.ts. */
import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";

import { api, unwrap, type Schemas } from "./client";
import { keys } from "./keys";
import { everyPage } from "./pages";

export type Channel = Schemas["Channel"];
export type ChannelKind = Schemas["ChannelKind"];
export type ChannelMember = Schemas["ChannelMember"];
export type ChannelChange = Schemas["ChannelChange"];
export type MemberChange = Schemas["MemberChange"];
export type NewChannel = Schemas["NewChannel"];
export type NewChannelMember = Schemas["retinue__domain__channels__NewMember"];
export type InputPolicy = Schemas["InputPolicy"];
export type TriggerMode = Schemas["TriggerMode"];
export type ExportFormat = "json" | "markdown";

const ALL = 200;

/** Every channel one can read, oldest first; with `archived` those that are put away. */
export function channelsQuery(archived = false) {
  return queryOptions({
    queryKey: keys.channels.list({ archived }),
    queryFn: () =>
      everyPage((after) =>
        unwrap(api.GET("/v1/channels", { params: { query: { limit: ALL, archived, ...(after ? { after } : {}) } } })),
      ),
  });
}

export function useChannels(archived = false) {
  return useQuery(channelsQuery(archived));
}

export function useChannel(id: string) {
  return useQuery({
    queryKey: keys.channels.one(id),
    queryFn: () => unwrap(api.GET("/v1/channels/{channel_id}", { params: { path: { channel_id: id } } })),
    enabled: id !== "",
  });
}

/** People and agents of a channel, all of them. */
export function useChannelMembers(id: string, enabled = true) {
  return useQuery({
    queryKey: keys.channels.members(id),
    queryFn: () =>
      everyPage((after) => {
        const params = { path: { channel_id: id }, query: { limit: ALL, ...(after ? { after } : {}) } };
        return unwrap(api.GET("/v1/channels/{channel_id}/members", { params }));
      }),
    enabled: enabled && id !== "",
    staleTime: 60_000,
  });
}

function keep(client: QueryClient, channel: Channel): void {
  client.setQueryData(keys.channels.one(channel.id), channel);
  void client.invalidateQueries({ queryKey: keys.channels.lists });
}

export function useCreateChannel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewChannel) => unwrap(api.POST("/v1/channels", { body })),
    onSuccess: (channel) => keep(client, channel),
  });
}

export function useUpdateChannel(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ChannelChange) =>
      unwrap(api.PATCH("/v1/channels/{channel_id}", { params: { path: { channel_id: id } }, body })),
    onSuccess: (channel) => keep(client, channel),
  });
}

function useMembersChanged(id: string): () => Promise<unknown> {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: keys.channels.members(id) }),
      client.invalidateQueries({ queryKey: keys.agents.all }),
    ]);
}

/** Puts somebody in; who is there already gets the new role or trigger mode. */
export function useAddMember(id: string) {
  const changed = useMembersChanged(id);
  return useMutation({
    mutationFn: (body: NewChannelMember) =>
      unwrap(api.POST("/v1/channels/{channel_id}/members", { params: { path: { channel_id: id } }, body })),
    onSettled: changed,
  });
}

export function useUpdateMember(id: string) {
  const changed = useMembersChanged(id);
  return useMutation({
    mutationFn: ({ party, change }: { party: string; change: MemberChange }) => {
      const params = { path: { channel_id: id, party_id: party } };
      return unwrap(api.PATCH("/v1/channels/{channel_id}/members/{party_id}", { params, body: change }));
    },
    onSettled: changed,
  });
}

export function useRemoveMember(id: string) {
  const changed = useMembersChanged(id);
  return useMutation({
    mutationFn: (party: string) => {
      const params = { path: { channel_id: id, party_id: party } };
      return unwrap(api.DELETE("/v1/channels/{channel_id}/members/{party_id}", { params }));
    },
    onSettled: changed,
  });
}

/** Leaves the channel; its queries go, so that nothing asks for what is no longer one's own. */
export function useLeaveChannel(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (userId: string) => {
      const params = { path: { channel_id: id, party_id: userId } };
      return unwrap(api.DELETE("/v1/channels/{channel_id}/members/{party_id}", { params }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.channels.lists }),
  });
}

export type Delivery = Channel["default_delivery"];

/** How agents reply to oneself in this channel. */
export function usePreferences(id: string) {
  return useQuery({
    queryKey: [...keys.channels.one(id), "preferences"],
    queryFn: () => unwrap(api.GET("/v1/channels/{channel_id}/preferences", { params: { path: { channel_id: id } } })),
  });
}

export function useSetPreferences(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewPreferences"]) =>
      unwrap(api.PUT("/v1/channels/{channel_id}/preferences", { params: { path: { channel_id: id } }, body })),
    onSuccess: (found) => client.setQueryData([...keys.channels.one(id), "preferences"], found),
  });
}

/** What an export may be, and what that is called. */
export const EXPORTS: readonly (readonly [ExportFormat, string])[] = [["json", "JSON"], ["markdown", "Markdown"]]; // prettier-ignore

/** Where all that was said can be downloaded as a file: in a channel, or in the thread of a message there. */
export function exportUrl(id: string, format: ExportFormat, replyTo?: string): string {
  const wanted = new URLSearchParams({ format, ...(replyTo ? { reply_to: replyTo } : {}) });
  return `/v1/channels/${encodeURIComponent(id)}/export?${wanted.toString()}`;
}
