-- What rules over agents: written policies with their history, worker roles, the registry, assignments, standing grants.
-- Each change of any of them raises the account's revision; a node keeps what rules over an agent by that number, which
-- every step reads anyway, so that a change acts on the next evaluated step (GOV-23).

alter table account
    add column governance jsonb not null default '{}',          -- domain.policy.Governance
    add column policy_revision bigint not null default 0;

-- ── policies: account, team and user layer in one table (SCH-09, SCH-10, GOV-12) ────────────────────────────────

create table policy (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    layer text not null check (layer in ('account', 'team', 'user')),
    team_id uuid,
    user_id uuid,
    name text not null check (length(name) between 1 and 200),
    type text not null check (type in ('tool_restriction', 'content_restriction', 'trigger_mode_restriction',
        'cost_limit', 'rate_limit', 'delegation_depth', 'approval', 'network_egress', 'model_allow_list', 'time_window')),
    rule jsonb not null,                       -- domain.rules.Rule
    enabled boolean not null default true,
    priority int not null default 100 check (priority between 0 and 1000),  -- in what order they are told (GOV-13)
    version int not null default 1,
    changed_by uuid,
    created_at timestamptz not null default clock(),
    updated_at timestamptz not null default clock(),
    primary key (account_id, id),
    check ((layer = 'team') = (team_id is not null) and (layer = 'user') = (user_id is not null)),
    foreign key (account_id, team_id) references team (account_id, id) on delete cascade,
    foreign key (account_id, user_id) references app_user (account_id, id) on delete cascade
);
create unique index policy_name on policy (account_id, layer, team_id, user_id, lower(name)) nulls not distinct;
create index policy_team on policy (team_id) where team_id is not null;
create index policy_user on policy (user_id) where user_id is not null;

-- Every state a policy has had; the last line of one that is gone says so.
create table policy_version (
    account_id uuid not null references account (id) on delete cascade,
    policy_id uuid not null,
    version int not null,
    content jsonb not null,                    -- the row, without times
    deleted boolean not null default false,
    changed_by uuid,
    changed_at timestamptz not null default clock(),
    primary key (account_id, policy_id, version)
);

create function policy_kept() returns trigger language plpgsql as $$
declare
    v policy := case when tg_op = 'DELETE' then old else new end;
begin
    insert into policy_version (account_id, policy_id, version, content, deleted, changed_by)
    select v.account_id, v.id, v.version + (tg_op = 'DELETE')::int,
           to_jsonb(v) - 'created_at' - 'updated_at' - 'changed_by', tg_op = 'DELETE', v.changed_by
    where exists (select from account where id = v.account_id);  -- not while the account itself goes
    return null;
end $$;
create trigger policy_kept after insert or update or delete on policy for each row execute function policy_kept();

-- ── registry, roles, assignments (REG-02, REG-04, SCH-07) ───────────────────────────────────────────────────────

create table worker_role (
    account_id uuid not null references account (id) on delete cascade,
    id uuid not null,
    name text not null check (length(name) between 1 and 200),
    description text not null default '',
    autonomy_tier text not null check (autonomy_tier in ('advisory', 'retrieval', 'approval_required', 'bounded_autonomous')),
    scope jsonb not null default '{}',
    authority_bounds jsonb not null default '{}',
    escalation_rules jsonb not null default '[]',
    created_at timestamptz not null default clock(),
    updated_at timestamptz not null default clock(),
    primary key (account_id, id)
);
create unique index worker_role_name on worker_role (account_id, lower(name));

create table agent_registry (
    account_id uuid not null,
    agent_id uuid not null,
    registry_tier text not null check (registry_tier in ('operator', 'department', 'personal')),
    autonomy_score int not null check (autonomy_score between 1 and 10),
    skills text[] not null default '{}',
    capabilities text[] not null default '{}' check (capabilities <@ array['streaming', 'file_io', 'cost_tracking']),
    role_id uuid,
    updated_at timestamptz not null default clock(),
    primary key (account_id, agent_id),
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade,
    foreign key (account_id, role_id) references worker_role (account_id, id)
);
create index agent_registry_role on agent_registry (role_id) where role_id is not null;

create table agent_assignment (
    account_id uuid not null,
    id uuid not null,
    agent_id uuid not null,
    scope text not null check (scope in ('user', 'team', 'account')),
    scope_id uuid not null,                    -- the user, team or account
    tool_restrictions jsonb not null default '{}',  -- by tool: domain.restrictions.Restriction
    created_by uuid,
    created_at timestamptz not null default clock(),
    updated_at timestamptz not null default clock(),
    primary key (account_id, id),
    unique (account_id, agent_id, scope, scope_id),
    check (scope <> 'account' or scope_id = account_id),
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade
);
create index agent_assignment_scope on agent_assignment (scope_id);

-- An agent is registered when it is made, and assigned to the whole account; both can be changed (REG-10, LIFE-07).
create function register_agent_v1(a agent) returns void language plpgsql as $$
begin
    insert into agent_registry (account_id, agent_id, registry_tier, autonomy_score)
    values (a.account_id, a.id, 'department',
            case a.trust_level when 'read' then 2 when 'standard' then 5 when 'elevated' then 8 else 10 end)
    on conflict do nothing;
    insert into agent_assignment (account_id, id, agent_id, scope, scope_id)
    values (a.account_id, new_id(), a.id, 'account', a.account_id) on conflict do nothing;
end $$;

create function agent_made() returns trigger language plpgsql as $$
begin
    if new.origin <> 'trial' then
        perform register_agent_v1(new);
    end if;
    return null;
end $$;
create trigger agent_registered after insert on agent for each row execute function agent_made();
select register_agent_v1(a) from agent a where a.origin <> 'trial';

-- What goes with a person or a team goes from the assignments, too.
create function scope_gone() returns trigger language plpgsql as $$
begin
    delete from agent_assignment where account_id = old.account_id and scope_id = old.id;
    return null;
end $$;
create trigger team_gone after delete on team for each row execute function scope_gone();
create trigger user_gone after delete on app_user for each row execute function scope_gone();

-- ── approvals ───────────────────────────────────────────────────────────────────────────────────────────────────

alter table wait
    add column ask jsonb,                      -- domain.verdicts.Ask: who decides, how many, what then
    add column policy_revision bigint,         -- by which rules it was asked
    add column explanation jsonb;              -- every opinion that led to it

-- Who said what. One person decides once; what they decide stands (compare-and-set on the wait).
create table approval_decision (
    account_id uuid not null,
    wait_id uuid not null,
    user_id uuid not null,
    decision text not null check (decision in ('approve', 'reject', 'ask_back')),
    reason text not null default '',
    arguments jsonb,                           -- as edited; null: as they were
    arguments_hash text not null,              -- of what was decided
    decided_at timestamptz not null default clock(),
    primary key (account_id, wait_id, user_id, arguments_hash),
    foreign key (account_id, wait_id) references wait (account_id, id) on delete cascade
);

-- A decision that stands for later calls until its end, within its scope.
create table approval_grant (
    account_id uuid not null,
    id uuid not null,
    agent_id uuid not null,
    tool text not null,
    channel_id uuid,                           -- null: everywhere
    user_id uuid,                              -- on whose behalf; null: anyone's
    arguments_hash text,                       -- null: whatever the arguments
    wait_id uuid,                              -- the decision it came of
    granted_by uuid not null,
    panels jsonb not null,                     -- which panels it answers for
    created_at timestamptz not null default clock(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_by uuid,
    primary key (account_id, id),
    foreign key (account_id, agent_id) references agent (account_id, id) on delete cascade,
    check (expires_at <= created_at + interval '400 days')
);
create index approval_grant_agent on approval_grant (agent_id) where revoked_at is null;

-- ── on every step: why ──────────────────────────────────────────────────────────────────────────────────────────

alter table step add column policy jsonb;      -- domain.verdicts.Judgement: the verdict and every opinion

-- ── the revision ────────────────────────────────────────────────────────────────────────────────────────────────

create function governance_changed() returns trigger language plpgsql as $$
begin
    update account set policy_revision = policy_revision + 1
    where id = case when tg_op = 'DELETE' then old.account_id else new.account_id end;
    return null;
end $$;
create trigger policy_revised after insert or update or delete on policy for each row execute function governance_changed();
create trigger role_revised after update on worker_role for each row execute function governance_changed();
create trigger registry_revised after insert or update on agent_registry for each row execute function governance_changed();
create trigger assignment_revised after insert or update or delete on agent_assignment
for each row execute function governance_changed();
create trigger grant_revised after insert or update on approval_grant for each row execute function governance_changed();
create trigger member_revised after insert or update or delete on member
for each row execute function governance_changed();

create function account_governance_changed() returns trigger language plpgsql as
$$ begin new.policy_revision := old.policy_revision + 1; return new; end $$;
create trigger governance_revised before update of governance on account for each row
when (old.governance is distinct from new.governance) execute function account_governance_changed();

-- All that rules over one agent, working for one person in one place: domain.policy.Book. The place is the channel's
-- team; where it has none, all of the person's teams count.
create function policy_book_v1(p_account uuid, p_agent uuid, p_user uuid, p_team uuid) returns jsonb
language plpgsql stable as $$
declare
    v_teams uuid[] := case when p_team is not null then array[p_team] else array(
        select team_id from member where account_id = p_account and user_id = p_user and team_id is not null) end;
begin
    return (select jsonb_build_object('revision', a.policy_revision, 'governance', a.governance, 'team_ids', v_teams,
        'known', exists (select from agent where account_id = p_account and id = p_agent and origin <> 'trial'),
        'policies', (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'layer', p.layer, 'name', p.name,
                'team_id', p.team_id, 'priority', p.priority, 'version', p.version, 'rule', p.rule) order by p.priority, p.id), '[]')
            from policy p where p.account_id = p_account and p.enabled
              and (p.layer = 'account' or p.team_id = any (v_teams) or p.user_id = p_user)),
        'registry', (select to_jsonb(r) - 'account_id' - 'updated_at' from agent_registry r
            where r.account_id = p_account and r.agent_id = p_agent),
        'role', (select to_jsonb(w) - 'account_id' - 'created_at' - 'updated_at'
            from agent_registry r join worker_role w on w.account_id = p_account and w.id = r.role_id
            where r.account_id = p_account and r.agent_id = p_agent),
        'assignments', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'scope', s.scope, 'scope_id', s.scope_id,
                'tool_restrictions', s.tool_restrictions) order by s.id), '[]')
            from agent_assignment s where s.account_id = p_account and s.agent_id = p_agent
              and (s.scope = 'account' or s.scope_id = p_user or s.scope_id = any (v_teams))),
        'grants', (select coalesce(jsonb_agg(to_jsonb(g) - 'account_id' - 'agent_id' - 'revoked_at' - 'revoked_by'
                order by g.id), '[]')
            from approval_grant g where g.account_id = p_account and g.agent_id = p_agent and g.revoked_at is null
              and g.expires_at > clock()))
    from account a where a.id = p_account);
end $$;

-- By the names of the seed (SCH-09, SCH-10).
create view account_policy with (security_invoker = true) as
    select account_id, id, type, rule, enabled, priority from policy where layer = 'account';
create view team_policy with (security_invoker = true) as
    select team_id, account_id, id, type, rule, enabled, priority from policy where layer = 'team';

select secure_table_v1(t) from unnest(array['policy', 'policy_version', 'worker_role', 'agent_registry',
    'agent_assignment', 'approval_decision', 'approval_grant']) as t;
revoke update, delete on policy_version, approval_decision from retinue_app;
grant select on account_policy, team_policy to retinue_app;

-- ── the engine's functions, with revision and explanation ───────────────────────────────────────────────────────

create function claim_v2(p_account uuid, p_interaction uuid, p_node uuid, p_job bigint) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_claimed jsonb := claim_v1(p_account, p_interaction, p_node, p_job);
begin
    if v_claimed ->> 'status' <> 'claimed' then
        return v_claimed;
    end if;
    return v_claimed || (select jsonb_build_object('revision', a.policy_revision, 'team_id', c.team_id)
        from account a left join channel c
            on c.account_id = p_account and c.id = (v_claimed #>> '{interaction,channel_id}')::uuid
        where a.id = p_account);
end $$;

create function policy_revision_v1(p_account uuid) returns bigint language plpgsql stable as
$$ begin return (select policy_revision from account where id = p_account); end $$;

create function think_begin_v2(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_known bigint, p_results jsonb,
                               p_after int) returns jsonb language plpgsql as $$
begin
    return think_begin_v1(p_account, p_interaction, p_attempt, p_seq, p_known, p_results, p_after)
        || jsonb_build_object('revision', policy_revision_v1(p_account));
end $$;

-- The revision by which the calls of a response are judged, read while the turn is held.
create function judge_v1(p_account uuid, p_interaction uuid, p_attempt int) returns bigint language plpgsql as $$
declare
    v interaction := hold_v1(p_account, p_interaction, p_attempt);
begin
    return policy_revision_v1(p_account);
end $$;

-- As v1, and keeps why: p.policy is a domain.verdicts.Judgement, or absent where nothing was judged.
create function act_done_v2(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns void language plpgsql as $$
begin
    if p ? 'policy' then
        update step set policy = p -> 'policy'
        where account_id = p_account and interaction_id = p_interaction and seq = (p ->> 'seq')::int;
    end if;
    perform act_done_v1(p_account, p_interaction, p_attempt, (p - 'policy') || case when p ? 'policy'
        then jsonb_build_object('verdict', p #> '{policy,verdict}') else '{}' end);
end $$;

-- As v1, for every kind of wait: p also has ask, policy_revision and policy, where a person has to approve.
create function ask_v2(p_account uuid, p_interaction uuid, p_attempt int, p_kind text, p jsonb) returns jsonb
language plpgsql as $$
declare
    v_wait jsonb := ask_v1(p_account, p_interaction, p_attempt, p_kind, p);
begin
    if p ? 'ask' then
        update wait set ask = p -> 'ask', policy_revision = (p ->> 'policy_revision')::bigint, explanation = p -> 'policy'
        where account_id = p_account and id = (v_wait ->> 'id')::uuid
        returning to_jsonb(wait) into v_wait;
        update step set policy = p -> 'policy'
        where account_id = p_account and interaction_id = p_interaction and seq = (p ->> 'seq')::int;
    end if;
    return v_wait;
end $$;

-- A rule is against the call of the model: the think step ends with it, and the turn ends with plain words (COST-08).
create function think_refused_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p jsonb) returns void
language plpgsql as $$
declare
    v interaction := hold_v1(p_account, p_interaction, p_attempt);
begin
    update step set state = 'failed', error = p ->> 'reason', policy = p -> 'policy',
        output = '{}', ended_at = clock()
    where account_id = p_account and interaction_id = v.id and seq = p_seq and state = 'running';
    if not found then
        raise exception 'the think step is not running' using errcode = 'RT412';
    end if;
    perform audit_v1(p_account, v, 'policy.denied', p_seq, jsonb_build_object('reason', p -> 'reason',
        'verdict', 'deny', 'layers', p -> 'layers', 'model', p -> 'model'));
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;
