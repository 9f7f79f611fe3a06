-- What people do with messages after they are posted: edit, take back, react, reply, read, type.
-- Nothing here adds work to posting: counts and markers are looked up when somebody reads.

alter table message add column edited_at timestamptz;
-- Replies of a message; only replies pay for it.
create index message_reply on message (reply_to, seq) where reply_to is not null;

-- What a message said before each edit.
create table message_edit (
    account_id uuid not null,
    message_id uuid not null,
    number int not null,
    content text not null,
    edited_by uuid not null,
    at timestamptz not null default clock(),
    primary key (account_id, message_id, number),
    foreign key (account_id, message_id) references message (account_id, id) on delete cascade
);

-- What was taken back a moment ago, so that whoever did it can undo it; pruned when that time is over.
create table message_trash (
    account_id uuid not null,
    message_id uuid not null,
    deleted_by uuid not null,
    content text not null,
    parts jsonb not null,
    metadata jsonb not null,
    edits jsonb not null,                      -- rows of message_edit
    copies jsonb not null,                     -- {thread_id, seq, text, parts} of the agents' threads
    at timestamptz not null default clock(),
    primary key (account_id, message_id),
    foreign key (account_id, message_id) references message (account_id, id) on delete cascade
);
create index message_trash_age on message_trash (at);

create table reaction (
    account_id uuid not null,
    message_id uuid not null,
    emoji text not null check (length(emoji) between 1 and 16),
    user_id uuid not null,
    created_at timestamptz not null default clock(),
    primary key (account_id, message_id, emoji, user_id),
    foreign key (account_id, message_id) references message (account_id, id) on delete cascade
);

-- What one person keeps about one channel: how far it is read, how agents shall reply there.
create table channel_personal (
    account_id uuid not null,
    channel_id uuid not null,
    user_id uuid not null,
    read_seq bigint not null default 0,
    delivery text check (delivery in ('inline', 'threaded', 'direct', 'silent')),  -- null: as the channel says
    updated_at timestamptz not null default clock(),
    primary key (account_id, channel_id, user_id),
    foreign key (account_id, channel_id) references channel (account_id, id) on delete cascade
) with (fillfactor = 70);

-- How agents reply where neither person nor channel says; a new channel starts with it.
alter table account add column default_delivery text not null default 'inline'
    check (default_delivery in ('inline', 'threaded', 'direct', 'silent'));

select secure_table_v1(t) from unnest(array['message_edit', 'message_trash', 'reaction', 'channel_personal']) as t;
grant select, delete on message_trash to retinue_system;

-- A deleted message may come back: an undo, while its content is in the trash.
create or replace function refuse_message_arrow() returns trigger language plpgsql as $$
begin
    if not ((old.status = 'pending_approval' and new.status in ('sent', 'rejected')) or
            (old.status = 'sent' and new.status = 'deleted') or (old.status = 'deleted' and new.status = 'sent')) then
        raise exception 'message cannot go from % to %', old.status, new.status using errcode = 'RT409';
    end if;
    return new;
end $$;

-- Somebody types: news for the readers of the channel, of which nothing is kept.
create function typing_v1(p_account uuid, p_channel uuid, p_user uuid) returns void language plpgsql as $$
begin
    perform defer_flush_v1();
    perform tenant_v1(p_account);
    if not may_enter_v1(p_account, p_channel, p_user) then
        raise exception 'there is no such channel, or you are not in it' using errcode = 'RT404';
    end if;
    perform from channel where account_id = p_account and id = p_channel and archived_at is null;
    if not found then
        raise exception 'this channel is archived' using errcode = 'RT409';
    end if;
    perform notify_v1(p_account, 'typing', p_user, p_channel);
end $$;
