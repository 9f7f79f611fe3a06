-- The audit record is sealed: every few seconds the lines committed meanwhile get the next link of their account's hash
-- chain. Lines are taken in the order (tx, id). A transaction's number is known before any of its lines can be seen, and
-- a line is sealed once every transaction with its number or a lower one has ended: none can slip in behind a seal.

-- A database restored from a dump counts its transactions anew; migrate then makes this the distance to what is there.
-- Stable, not immutable: plans that hold it are made anew when it changes.
create function audit_shift_v1() returns bigint language sql stable as $$ select 0::bigint $$;
create function audit_position_v1() returns bigint language sql stable as $$
    select pg_current_xact_id()::text::bigint + audit_shift_v1()
$$;
create function audit_settled_v1() returns bigint language sql stable as $$
    select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + audit_shift_v1()
$$;

alter table audit_event add column tx bigint not null default audit_position_v1();
create index audit_event_tx on audit_event (tx);

-- A line as it is sealed and exported, byte for byte. Never change it: make a v2, and say so in the seal's format.
create function audit_line_v1(e audit_event) returns text language sql immutable as $$
    select jsonb_build_object('id', e.id, 'at', to_char(e.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'event', e.event, 'actor_type', e.actor_type::text, 'actor_id', e.actor_id, 'interaction_id', e.interaction_id,
        'step_seq', e.step_seq, 'detail', e.detail)::text
$$;

create table audit_seal (
    account_id uuid not null,                  -- no foreign key: audit outlives what it speaks of
    seq bigint not null check (seq > 0),
    format int not null check (format = 1),    -- of its lines: audit_line_v1
    last_tx bigint not null,                   -- the last line it covers, in the order (tx, id)
    last_id uuid not null,
    lines int not null check (lines > 0),
    hashes bytea not null check (length(hashes) = 32 * lines),  -- SHA-256 of each line, in order
    previous bytea not null check (length(previous) = 32),      -- the hash of the seal before it; zeros for the first
    hash bytea not null check (length(hash) = 32),
    key_id text not null,
    signature bytea not null check (length(signature) = 64),    -- Ed25519, of what the hash was made of
    sealed_at timestamptz not null,
    primary key (account_id, seq)
);
select secure_table_v1('audit_seal');
revoke update, delete on audit_seal from retinue_app;
create trigger audit_seal_unchanged before update or delete on audit_seal for each row execute function refuse_change();

-- The keys that seals were signed with, for those who verify; who can sign is who has the installation's secret key.
create table audit_key (
    id text primary key,
    public bytea not null check (length(public) = 32),
    created_at timestamptz not null default clock()
);
grant select, insert on audit_key to retinue_system;
grant select on audit_key to retinue_app;

-- Up to where every account is sealed: one row, held by the node that seals.
create table audit_mark (
    one boolean primary key default true check (one),
    upto bigint not null default 0
);
insert into audit_mark default values;
grant select, update on audit_mark to retinue_system;
grant select (account_id, tx, at) on audit_event to retinue_system;
