-- Envelope encryption. Secrets are sealed with a data key of their account; data keys are stored wrapped by a key that is
-- not in the database. What was sealed before, directly with the installation's key, opens as ever; `retinue secrets
-- rotate` seals it anew.

create table data_key (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    wrapped bytea not null check (length(wrapped) between 1 and 65536),
    wrapped_by text not null check (length(wrapped_by) between 1 and 600),  -- domain.sealing.Wrapped
    created_at timestamptz not null default clock(),
    wrapped_at timestamptz not null default clock(),
    retired_at timestamptz,                    -- still opens, seals nothing new; removed when nothing needs it
    primary key (account_id, id)
);
create unique index data_key_current on data_key (account_id) where retired_at is null;
select secure_table_v1('data_key');

-- Which data key sealed this; null: none did (domain.sealing). A row says so itself, so that it stays right while nodes
-- of the version before still write.
create function sealed_with_v1(sealed bytea) returns uuid language sql immutable as $$
    select case when length(sealed) >= 52 and substring(sealed for 8) = '\x52544e0073763100'::bytea
        then encode(substring(sealed from 9 for 16), 'hex')::uuid end
$$;

alter table secret add column data_key_id uuid generated always as (sealed_with_v1(ciphertext)) stored;
alter table secret add foreign key (account_id, data_key_id) references data_key (account_id, id);
create index secret_data_key on secret (data_key_id);

-- The last change of keys. One that was broken off is taken up where it was: which accounts are done is seen by their keys.
create table key_rotation (
    one boolean primary key default true check (one),
    started_at timestamptz not null default clock(),
    data_keys boolean not null,                -- whether accounts get new data keys, or the old ones only a new wrapping
    finished_at timestamptz
);

-- Which wrapping keys a node has: none loses its secrets by a rotation.
alter table node add column wrapping_keys text[] not null default '{}';

grant select (account_id, id, wrapped_by, retired_at) on data_key to retinue_system;
grant select (account_id, data_key_id) on secret to retinue_system;
grant select (account_id) on user_agent_config to retinue_system;
grant select, insert, update on key_rotation to retinue_system;
