-- Files that people put into messages. A file is a name for content; content is kept once per account, by its hash, in
-- the storage that RETINUE_FILES names, and in file_chunk where that is the database.

create table file_blob (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    sha256 bytea not null check (length(sha256) = 32),
    bytes bigint not null check (bytes >= 0),
    state text not null default 'writing' check (state in ('writing', 'idle', 'stored', 'deleting')),
    -- writing -> idle (written, nobody's yet) <-> stored (a file has it); writing, idle -> deleting
    touched_at timestamptz not null default clock(),   -- the sweep lets alone what was touched within the hour
    primary key (account_id, id)
);
-- What is being deleted is not found any more: the same content, sent again meanwhile, becomes a blob of its own.
create unique index file_blob_content on file_blob (account_id, sha256) where state <> 'deleting';
create index file_blob_sweep on file_blob (touched_at) where state <> 'stored';

create table file (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    user_id uuid not null,                     -- who uploaded it; no foreign key: history outlives the person
    blob_id uuid not null,
    preview_id uuid,                           -- a small picture of it
    name text not null,
    media_type text not null check (media_type ~ '^[a-z]+/[a-z0-9.+-]+$'),   -- as its bytes say
    bytes bigint not null check (bytes >= 0),
    width int,
    height int,
    attached_at timestamptz,                   -- null: in no message yet
    created_at timestamptz not null default clock(),
    primary key (account_id, id),
    foreign key (account_id, blob_id) references file_blob (account_id, id),
    foreign key (account_id, preview_id) references file_blob (account_id, id)
);
create index file_of_blob on file (blob_id);
create index file_of_preview on file (preview_id) where preview_id is not null;
create index file_unattached on file (created_at) where attached_at is null;

-- Which messages hold a file, and so who may read it. No foreign key to message, which is written in every turn.
create table message_file (
    account_id uuid not null,
    message_id uuid not null,
    file_id uuid not null,
    released_at timestamptz,                   -- when the message was deleted; the file stays as long as that can be undone
    primary key (account_id, message_id, file_id),
    foreign key (account_id, file_id) references file (account_id, id) on delete cascade
);
create index message_file_file on message_file (file_id);
create index message_file_released on message_file (released_at) where released_at is not null;

create function release_files() returns trigger language plpgsql as $$
begin
    update message_file set released_at = case new.status when 'deleted' then clock() end
    where account_id = new.account_id and message_id = new.id;
    return null;
end $$;
create trigger message_files after update of status on message for each row
when (old.status <> new.status and (old.parts <> '[]' or new.parts <> '[]')) execute function release_files();

create table file_chunk (
    account_id uuid not null,
    blob_id uuid not null,
    seq int not null,
    data bytea not null,
    primary key (account_id, blob_id, seq)
);
alter table file_chunk alter column data set storage external;   -- pictures and archives do not get smaller

select secure_table_v1(t) from unnest(array['file_blob', 'file', 'message_file', 'file_chunk']) t;

-- The sweep asks across accounts where there is something to do, and nothing else.
grant select (account_id, state, touched_at) on file_blob to retinue_system;
grant select (account_id, attached_at, created_at) on file to retinue_system;
grant select (account_id, released_at) on message_file to retinue_system;
