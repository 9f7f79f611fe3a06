-- Retinue's tables. Every tenant table carries account_id first in its primary key and in every unique constraint and
-- foreign key, so that the schema can be distributed by tenant. All enums are CHECKs (SCH-22).
-- Times come from clock(), which a test can set; money is integer micro-units; text search uses 'simple'
-- because one account may speak many languages.
-- Indexes that are not unique do not begin with account_id: ids are unique by themselves, and an index that begins like
-- the primary key is one that the planner takes by mistake while a fresh table has no statistics.

create function clock() returns timestamptz language sql stable parallel safe as
$$ select coalesce(now() + nullif(current_setting('retinue.clock_offset', true), '')::interval, now()) $$;

create function current_account() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('retinue.account_id', true), '')::uuid $$;

do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        create function new_id() returns uuid language sql volatile parallel safe as 'select uuidv7()';
    else
        create function new_id() returns uuid language sql volatile parallel safe as $f$
            select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
                52, 1), 53, 1), 'hex')::uuid $f$;
    end if;
end $$;

-- Enums are CHECKs (SCH-22). Those of the tables written in every turn stand here as domains: a table's own CHECK is
-- parsed again by every statement that writes to it, a domain's once per connection.
create domain channel_kind as text check (value in ('organisation', 'team', 'group', 'private'));
create domain input_policy as text check (value in ('coalesce', 'queue', 'steer', 'reject'));
create domain delivery as text check (value in ('inline', 'threaded', 'direct', 'silent'));
create domain trigger_mode as text check (value in ('silent', 'mention', 'proactive'));
create domain source_type as text check (value in ('message', 'webhook', 'schedule', 'callback', 'internal', 'delegation', 'api'));
create domain actor_kind as text check (value in ('user', 'agent', 'system', 'external'));
create domain message_status as text check (value in ('sent', 'pending_approval', 'rejected', 'deleted'));
create domain thread_role as text check (value in ('user', 'assistant', 'system', 'tool'));
create domain interaction_state as text check (value in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'));
create domain step_kind as text check (value in ('triage', 'think', 'act', 'respond'));
create domain step_state as text check (value in ('created', 'running', 'waiting', 'unknown', 'success', 'failed'));
create domain step_mode as text check (value in ('immediate', 'deferred', 'interactive'));
create domain effect as text check (value in ('read', 'write', 'external_keyed', 'external_once'));
create domain chunk_kind as text check (value in ('reset', 'text', 'thinking', 'call', 'step'));
create domain debounce as int check (value between 0 and 60000);
create domain tier as int check (value between 1 and 3);

-- ── the installation (no tenant) ────────────────────────────────────────────────────────────────────────────────

create table node (
    id uuid primary key,                       -- also the queue manager id of the node's worker
    lock_key bigint not null unique,           -- the session-level advisory lock that says it lives
    host text not null,
    pid int not null,
    version text not null,
    state text not null default 'up' check (state in ('up', 'draining', 'down')),  -- up -> draining -> down
    started_at timestamptz not null default clock(),
    seen_at timestamptz not null default clock()
);

create table agent_catalog (
    slug text primary key,
    name text not null,
    category text not null,
    default_system_prompt text not null,
    default_model text,
    default_trust_level text not null check (default_trust_level in ('read', 'standard', 'elevated', 'admin')),
    default_trigger_mode text not null check (default_trigger_mode in ('silent', 'mention', 'proactive')),
    default_tool_ids text[] not null default '{}',
    tier int not null,
    version text not null,
    manifest jsonb not null,
    loaded_at timestamptz not null default clock()
);

-- ── accounts and people ─────────────────────────────────────────────────────────────────────────────────────────

create table account (
    id uuid primary key,
    name text not null,
    slug text not null unique,
    default_model text,
    loosest_trigger_mode text not null default 'proactive' check (loosest_trigger_mode in ('silent', 'mention', 'proactive')),
    settings jsonb not null default '{}',
    created_at timestamptz not null default clock()
);

create table team (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    name text not null,
    slug text not null,
    loosest_trigger_mode text not null default 'proactive' check (loosest_trigger_mode in ('silent', 'mention', 'proactive')),
    created_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique (account_id, slug)
);

create table app_user (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    email text not null,
    name text not null,
    time_zone text not null default 'UTC',
    locale text not null default 'en',
    status text not null default 'active' check (status in ('active', 'suspended')),  -- active <-> suspended
    loosest_trigger_mode text not null default 'proactive' check (loosest_trigger_mode in ('silent', 'mention', 'proactive')),
    password_hash text,
    oidc_issuer text,
    oidc_subject text,
    created_at timestamptz not null default clock(),
    primary key (account_id, id)
);
create unique index app_user_email on app_user (account_id, lower(email));
create index app_user_sign_in on app_user (lower(email));
create unique index app_user_oidc on app_user (account_id, oidc_issuer, oidc_subject) where oidc_subject is not null;

create table member (
    account_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    team_id uuid,                              -- null: the role in the account itself
    role text not null check (role in ('owner', 'admin', 'lead', 'member')),
    created_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique nulls not distinct (account_id, user_id, team_id),
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade,
    foreign key (account_id, team_id) references team (account_id, id) on delete cascade
);
create index member_team on member (team_id);

create table session (
    account_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    token_hash bytea not null,                 -- sha-256 of a random 256-bit token
    created_at timestamptz not null default clock(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (account_id, id),
    unique (account_id, token_hash),
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade
);
create index session_by_user on session (user_id);

create table sign_in_link (
    account_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    token_hash bytea not null,
    created_at timestamptz not null default clock(),
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (account_id, id),
    unique (account_id, token_hash),
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade
);
create index sign_in_link_user on sign_in_link (user_id);

create table api_key (
    account_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    name text not null,
    prefix text not null,
    token_hash bytea not null,
    scopes text[] not null check (scopes <@ array['read', 'write', 'admin']),
    created_at timestamptz not null default clock(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (account_id, id),
    unique (account_id, token_hash),
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade
);
create index api_key_user on api_key (user_id);

create table secret (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    name text not null,
    ciphertext bytea not null,                 -- AES-256-GCM, nonce first; the account and name are bound in
    created_by uuid,
    created_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique (account_id, name)
);

create table idempotency (
    account_id uuid not null references account (id) on delete cascade,
    principal text not null,
    key text not null,
    request_hash bytea not null,
    status int,                                -- null: the first request is still under way
    response jsonb,
    created_at timestamptz not null default clock(),
    primary key (account_id, principal, key)
);
create index idempotency_age on idempotency (created_at);

-- ── agents and tools ────────────────────────────────────────────────────────────────────────────────────────────

create table agent (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name text not null,
    description text not null default '',
    accent_colour text not null default '#5b6b7b',
    avatar text,
    execution text not null default 'platform' check (execution in ('platform', 'external')),
    system_prompt text not null default '',
    endpoint text,
    model text,
    trust_level text not null default 'standard' check (trust_level in ('read', 'standard', 'elevated', 'admin')),
    default_trigger_mode text not null default 'mention' check (default_trigger_mode in ('silent', 'mention', 'proactive')),
    capability_level text not null default 'tools_only' check (capability_level in ('tools_only', 'workflow', 'experimental', 'learning')),
    deployment_state text not null default 'active' check (deployment_state in ('in_development', 'testing', 'available', 'active')),
    status text not null default 'enabled' check (status in ('enabled', 'paused', 'deactivated')),  -- any -> any
    limits jsonb not null default '{}',
    context jsonb not null default '{}',
    delegation_set text[] not null default '{}',
    max_delegation_depth int not null default 3 check (max_delegation_depth between 0 and 10),
    catalog_slug text references agent_catalog (slug),
    origin text not null default 'custom' check (origin in ('built_in', 'custom', 'installed')),
    config_hash text not null default '',
    created_at timestamptz not null default clock(),
    updated_at timestamptz not null default clock(),
    deleted_at timestamptz,
    primary key (account_id, id)
);
create unique index agent_slug on agent (account_id, slug) where deleted_at is null;
create index agent_catalog_of on agent (catalog_slug);

create table config_snapshot (
    account_id uuid not null references account (id) on delete cascade,
    hash text not null,                        -- sha-256 of content, hex
    agent_id uuid not null,                    -- no foreign key: outlives the agent (AUD-12)
    content jsonb not null,
    created_at timestamptz not null default clock(),
    primary key (account_id, hash)
);
create index config_snapshot_agent on config_snapshot (agent_id, created_at);

create table tool (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    slug text not null check (slug ~ '^[a-z0-9][a-z0-9_]{0,62}$'),
    name text not null,
    description text not null,
    type text not null check (type in ('internal', 'external', 'mcp', 'agent')),
    schema jsonb not null,
    return_schema jsonb not null default '{}',
    config jsonb not null default '{}',
    endpoint text,
    auth jsonb not null default '{"type": "none"}',  -- {type: none|bearer|hmac|api_key, secret_name, header}
    effect text not null check (effect in ('read', 'write', 'external_keyed', 'external_once')),
    trust_level_required text not null check (trust_level_required in ('read', 'standard', 'elevated', 'admin')),
    requires_approval boolean not null default false,
    timeout_ms int not null default 30000 check (timeout_ms between 100 and 600000),
    max_calls_per_interaction int,
    enabled boolean not null default true,
    created_at timestamptz not null default clock(),
    updated_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique (account_id, slug)
);

create table agent_tool (
    account_id uuid not null,
    agent_id uuid not null,
    tool text not null,                        -- the canonical slug: of code (internal) or of a tool row
    enabled boolean not null default true,
    config jsonb not null default '{}',
    primary key (account_id, agent_id, tool),
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade
);

-- ── channels and what people see ────────────────────────────────────────────────────────────────────────────────

create table channel (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    kind channel_kind not null,
    name text not null,
    slug text,
    team_id uuid,
    transport text not null default 'web',
    input_policy input_policy not null default 'coalesce',
    debounce_ms debounce not null default 0,
    default_delivery delivery not null default 'inline',
    created_by uuid,
    archived_at timestamptz,
    created_at timestamptz not null default clock(),
    last_seq bigint not null default 0,
    primary key (account_id, id),
    foreign key (account_id, team_id) references team (account_id, id) on delete cascade
) with (fillfactor = 70);
create unique index channel_slug on channel (account_id, slug) where slug is not null;
create index channel_team on channel (team_id);

create table channel_member (
    account_id uuid not null,
    channel_id uuid not null,
    party_id uuid not null,                    -- the user's or the agent's id
    user_id uuid,
    agent_id uuid,
    role text not null default 'member' check (role in ('owner', 'member')),
    trigger_mode trigger_mode,
    joined_at timestamptz not null default clock(),
    primary key (account_id, channel_id, party_id),
    check (party_id = coalesce(user_id, agent_id) and (user_id is null) <> (agent_id is null)),
    check ((trigger_mode is null) = (agent_id is null)),
    foreign key (account_id, channel_id) references channel (account_id, id) on delete cascade,
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade,
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade
);
create index channel_member_user on channel_member (user_id) where user_id is not null;
create index channel_member_agent on channel_member (agent_id) where agent_id is not null;

-- Tables written in every turn have no foreign keys. One to the account or the agent would lock, at each insert, the one
-- row that all turns of the tenant share; the others would look up what the functions of 0003 hold locked already, and
-- only those functions (and the stores of threads and channels, which look it up themselves) write here.
create table event (
    account_id uuid not null,
    id uuid not null,
    source_type source_type not null,
    source_id text,
    actor_kind actor_kind not null,
    actor_id uuid,
    channel_id uuid,
    message_id uuid,
    targets uuid[] not null default '{}',
    correlation_id text,
    idempotency_key text,
    received_at timestamptz not null default clock(),
    primary key (account_id, id)
);
create unique index event_once on event (account_id, source_type, idempotency_key) where idempotency_key is not null;

create table message (
    account_id uuid not null,
    id uuid not null,
    channel_id uuid not null,
    seq bigint not null,
    author_kind actor_kind not null,
    user_id uuid,
    agent_id uuid,
    content text not null,
    parts jsonb not null default '[]',
    reply_to uuid,
    delivery delivery not null default 'inline',
    recipient_id uuid,
    interaction_id uuid,
    status message_status not null default 'sent',
    -- pending_approval -> sent, rejected; sent -> deleted
    metadata jsonb not null default '{}',
    created_at timestamptz not null default clock(),
    search tsvector generated always as (to_tsvector('simple', content)) stored,
    primary key (account_id, id),
    unique (account_id, channel_id, seq)
);
create index message_search on message using gin (search);
create index message_interaction on message (interaction_id) where interaction_id is not null;

-- ── threads, interactions, steps: the journal ───────────────────────────────────────────────────────────────────

create table thread (
    account_id uuid not null,
    id uuid not null,
    agent_id uuid not null,
    owner text not null,                       -- a user's TypeID or system:{agent}:{context} (THR-03, CON-74)
    user_id uuid,
    title text,
    summary text,
    scope text not null default 'account',     -- the assignment scope (THR-28)
    last_seq bigint not null default 0,
    late_seq bigint not null default 0,        -- the newest message that a running turn is to take in
    created_at timestamptz not null default clock(),
    last_active_at timestamptz not null default clock(),
    primary key (account_id, id)
) with (fillfactor = 70);
create index thread_agent on thread (agent_id, last_active_at);

create table agent_thread (
    account_id uuid not null,
    channel_id uuid not null,
    agent_id uuid not null,
    thread_id uuid not null,
    trigger_mode trigger_mode not null,
    fed_seq bigint not null default 0,         -- how far the channel has been fed into the thread
    last_active_at timestamptz not null default clock(),
    primary key (account_id, channel_id, agent_id),
    unique (account_id, thread_id)
) with (fillfactor = 70);

create table thread_message (
    account_id uuid not null,
    thread_id uuid not null,
    seq bigint not null,
    id uuid not null,
    role thread_role not null,
    author text,
    parts jsonb not null,
    interaction_id uuid,
    step_seq int,
    message_id uuid,                           -- the channel message it bridges
    metadata jsonb not null default '{}',
    text text not null default '',
    created_at timestamptz not null default clock(),
    search tsvector generated always as (to_tsvector('simple', text)) stored,
    primary key (account_id, thread_id, seq),
    unique (account_id, id)
);
create index thread_message_search on thread_message using gin (search);

create table interaction (
    account_id uuid not null,
    id uuid not null,
    agent_id uuid not null,                    -- no foreign key: history outlives the agent (LIFE-14)
    thread_id uuid not null,
    channel_id uuid,
    message_id uuid,
    event_id uuid,
    user_id uuid,                              -- on whose behalf
    parent_id uuid,
    depth int not null default 0,
    triage_tier tier not null default 3,
    state interaction_state not null default 'queued',
    -- queued -> running, cancelled, failed; running -> waiting, queued, succeeded, failed, cancelled;
    -- waiting -> queued, cancelled, failed; failed -> queued (a person's retry)
    attempt int not null default 0,            -- the fence
    node_id uuid,
    job_id bigint,                             -- the queue entry that stands for it; null: parked behind another
    config_hash text,
    delivery delivery not null default 'inline',
    reply_to uuid,                             -- threaded: the message under which the reply goes, a thread's first
    options jsonb not null default '{}',       -- of a thread operation: output schema, stop condition, context
    first_seq bigint not null default 0,       -- where in the thread its input begins
    trigger_seq bigint not null default 0,     -- and where it ends, of what came before it was taken up
    read_seq bigint not null default 0,
    retries int not null default 0,
    reply_message_id uuid,
    reply jsonb,                               -- a reply that has no channel message (thread operations)
    successor_id uuid,
    stop_reason text,
    error text,
    error_detail text,
    cancel_requested boolean not null default false,
    cancel_reason text,
    dead_letter boolean not null default false,
    cost_micro bigint not null default 0,
    unpriced boolean not null default false,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    created_at timestamptz not null default clock(),
    started_at timestamptz,
    running_since timestamptz,
    running_seconds double precision not null default 0,
    ended_at timestamptz,
    primary key (account_id, id)
) with (fillfactor = 70);
create unique index interaction_one_running on interaction (account_id, thread_id) where state = 'running';
create index interaction_thread on interaction (thread_id, id);
create index interaction_agent on interaction (agent_id, id);
create index interaction_channel on interaction (channel_id, id);
create index interaction_open on interaction (thread_id) where state in ('queued', 'running');
create index interaction_parent on interaction (parent_id) where parent_id is not null;
create index interaction_dead_letter on interaction (account_id, id) where dead_letter;

create table step (
    account_id uuid not null,
    interaction_id uuid not null,
    seq int not null,
    kind step_kind not null,
    state step_state not null,
    -- created -> running, waiting, failed; running -> running, success, failed, waiting, unknown, created;
    -- waiting, unknown -> running, success, failed
    mode step_mode not null default 'immediate',
    parent_seq int,
    call_index int,
    tool text,
    effect effect,
    attempt int not null default 0,
    input jsonb not null default '{}',
    output jsonb,
    error text,
    cost_micro bigint default 0,               -- null: the price is unknown
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    started_at timestamptz,
    ended_at timestamptz,
    primary key (account_id, interaction_id, seq)
) with (fillfactor = 80);

create table wait (
    account_id uuid not null,
    id uuid not null,
    kind text not null check (kind in ('approval', 'question', 'outcome', 'callback', 'job', 'timer')),
    state text not null default 'open' check (state in ('open', 'resolved', 'expired', 'cancelled')),
    -- open -> resolved, expired, cancelled
    interaction_id uuid,
    step_seq int,
    job_id uuid,
    tool text,
    arguments_hash text,
    prompt text not null default '',
    payload jsonb not null default '{}',
    resolution jsonb,
    resolved_by uuid,
    due_at timestamptz,
    created_at timestamptz not null default clock(),
    resolved_at timestamptz,
    primary key (account_id, id),
    foreign key (account_id, interaction_id) references interaction (account_id, id) on delete cascade
);
create index wait_interaction on wait (interaction_id);
create index wait_open on wait (account_id, id) where state = 'open';

create unlogged table stream_chunk (
    account_id uuid not null,
    interaction_id uuid not null,
    attempt int not null,
    seq int not null,
    kind chunk_kind not null,
    data jsonb not null,
    created_at timestamptz not null default clock(),
    primary key (account_id, interaction_id, attempt, seq)
);
create index stream_chunk_age on stream_chunk (created_at);

-- ── usage and audit ─────────────────────────────────────────────────────────────────────────────────────────────

create table token_event (
    account_id uuid not null,
    id uuid not null,
    source text not null default 'native',
    agent_id uuid not null,
    user_id uuid,
    interaction_id uuid not null,
    step_seq int not null,
    model text,
    tool text,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost_micro bigint,
    currency text not null default 'USD',
    created_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique (account_id, interaction_id, step_seq)   -- a replayed step is not counted twice (COST-13)
);

create table usage_counter (
    account_id uuid not null,
    day date not null,
    agent_id uuid not null,
    shard int not null,                        -- by server process, so that concurrent turns do not queue for a row
    interactions bigint not null default 0,
    model_calls bigint not null default 0,
    tool_calls bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    cost_micro bigint not null default 0,
    unpriced bigint not null default 0,
    primary key (account_id, day, agent_id, shard)
) with (fillfactor = 50);

create table audit_event (
    account_id uuid not null,                  -- no foreign key: audit outlives what it speaks of
    id uuid not null,
    event text not null,
    actor_type actor_kind not null,
    actor_id text,
    interaction_id uuid,
    step_seq int,
    detail jsonb not null default '{}',
    at timestamptz not null default clock(),
    primary key (account_id, id)
);
create index audit_event_interaction on audit_event (interaction_id) where interaction_id is not null;
