-- What one person sets about one agent for themselves (SCH-08). It reaches the agent in turns that this person started,
-- and no others (claim_v1). Only what is set has a row.

create table user_agent_config (
    account_id uuid not null references account (id) on delete cascade,
    user_id uuid not null,
    agent_id uuid not null,
    credentials jsonb not null default '{}' check (jsonb_typeof(credentials) = 'object'),  -- name -> sealed, base64
    preferences jsonb not null default '{}' check (jsonb_typeof(preferences) = 'object'),
    overrides jsonb not null default '{}' check (jsonb_typeof(overrides) = 'object'),
    revision uuid not null,                    -- another one whenever preferences or overrides change; steps name it
    updated_at timestamptz not null default clock(),
    primary key (account_id, user_id, agent_id),
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade,
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade
);
create index user_agent_config_agent on user_agent_config (agent_id);

select secure_table_v1('user_agent_config');
