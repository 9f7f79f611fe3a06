-- Meters: what is spent and reserved under each limit of cost and of rate. The worst case is reserved before a call in one
-- transaction over all limits that hold for it, and settled by what it came to after (COST-08, COST-11, CON-05).
-- Not sharded: a limit is exact. usage_counter, which is sharded, has the totals.
-- Locks: first the reservations of one step, then meters in the order of their keys; nothing after them.

create domain meter_kind as text check (value in ('budget', 'window', 'bucket', 'interaction'));
create domain meter_unit as text check (value in ('micro', 'tokens', 'calls'));
create domain reservation_state as text check (value in ('held', 'released'));

-- Budgets and windows have a row for each period; what was reserved in one is settled in it, however late.
create table meter (
    account_id uuid not null,
    policy_id uuid not null,                   -- of a turn's own cap: the nil UUID
    subject uuid not null,                     -- whose: account, team, user, agent, tool or turn (domain.meters)
    starts_at timestamptz not null,
    ends_at timestamptz,                       -- null: it has no periods
    kind meter_kind not null,
    unit meter_unit not null,                  -- of all numbers here; micro: millionths of the rule's currency
    cap bigint not null,                       -- as of the last call
    spent bigint not null default 0,
    reserved bigint not null default 0,
    refill numeric,                            -- of a bucket: how much flows in each second
    level numeric,                             -- and what was in it at touched_at
    touched_at timestamptz,
    warned int not null default 0,             -- up to which percent those who can raise the limit have been told
    primary key (account_id, policy_id, subject, starts_at)
) with (fillfactor = 30);
create index meter_of_turn on meter (subject) where kind = 'interaction';

-- What one attempt of one step holds. Gone once it is settled, so that nothing is settled twice; one that was released
-- stays a while: should the call turn out to have been made, what it cost still counts.
create table reservation (
    account_id uuid not null,
    interaction_id uuid not null,
    step_seq int not null,
    attempt int not null,
    state reservation_state not null default 'held',
    -- held -> released; released -> held (the same attempt calls again)
    demands jsonb not null,                    -- [domain.meters.Demand], in order of keys
    created_at timestamptz not null default clock(),
    primary key (account_id, interaction_id, step_seq, attempt)
);

select secure_table_v1(t) from unnest(array['meter', 'reservation']) as t;
grant select, delete on meter, reservation to retinue_system;
grant select (account_id, id) on policy to retinue_system;

-- What this turn may cost with all it delegates, as whoever delegated it says (max_cost_per_delegation).
alter table interaction add column cost_cap_micro bigint check (cost_cap_micro >= 0);

-- ── reserve ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- What a turn has cost so far, with all that it has delegated.
create function turn_cost_v1(p_account uuid, p_interaction uuid) returns bigint language plpgsql stable as $$
begin
    return (with recursive below as (
        select id, cost_micro, 0 as down from interaction where account_id = p_account and id = p_interaction
        union all
        select i.id, i.cost_micro, b.down + 1 from below b
        join interaction i on i.account_id = p_account and i.parent_id = b.id where b.down < 20)
    select coalesce(sum(cost_micro), 0)::bigint from below);
end $$;

-- What counts from the beginning: a limit written (or changed) in the middle of its period holds for all of it. Not one
-- of a narrower scope, whose calls of before are not told apart, nor a total, which counts from when it is written.
create function meter_seed_v1(p_account uuid, p_policy uuid, p_subject uuid, p_starts timestamptz, p_kind text)
returns bigint language plpgsql stable as $$
declare
    v_rule jsonb;
begin
    if p_kind = 'interaction' then
        return turn_cost_v1(p_account, p_subject);
    elsif p_kind <> 'budget' then
        return 0;
    end if;
    select rule into v_rule from policy where account_id = p_account and id = p_policy and updated_at > p_starts;
    if not found or v_rule ->> 'period' = 'total' or exists (
        select from jsonb_each(coalesce(v_rule -> 'scope', '{}')) s where s.value not in ('[]', 'null')) then
        return 0;
    end if;
    if v_rule ->> 'per' in ('account', 'agent') and p_starts = date_trunc('day', p_starts, 'utc') then
        return (select coalesce(sum(u.cost_micro), 0)::bigint from usage_counter u
            where u.account_id = p_account and u.day >= (p_starts at time zone 'utc')::date
              and (v_rule ->> 'per' = 'account' or u.agent_id = p_subject));
    end if;
    return (select coalesce(sum(e.cost_micro), 0)::bigint from token_event e
        where e.account_id = p_account and e.created_at >= p_starts
          and case v_rule ->> 'per' when 'account' then true when 'agent' then e.agent_id = p_subject
              when 'user' then e.user_id = p_subject
              -- the channel's team; where it has none, all of the person's teams (policy_book_v1)
              when 'team' then coalesce(p_subject = (select c.team_id from channel c where c.account_id = p_account
                  and c.id = (select i.channel_id from interaction i
                              where i.account_id = p_account and i.id = e.interaction_id)),
                  exists (select from member b where b.account_id = p_account and b.user_id = e.user_id
                          and b.team_id = p_subject))
              else false end);
end $$;

-- The caps that hold because of the turns above: their own, and those of rules that hold for one turn with all that it
-- delegates. The smallest counts (COST-07, CON-32), as each of them does.
create function inherited_v1(p_account uuid, p_interaction uuid, p_cost bigint) returns jsonb
language plpgsql stable as $$
begin
    return (with recursive chain as (
        select id, parent_id, cost_cap_micro, 0 as up from interaction where account_id = p_account and id = p_interaction
        union all
        select i.id, i.parent_id, i.cost_cap_micro, c.up + 1 from chain c
        join interaction i on i.account_id = p_account and i.id = c.parent_id where c.up < 20)
    select coalesce(jsonb_agg(jsonb_build_object('policy_id', o.policy_id, 'subject', o.subject, 'starts_at', o.starts_at,
        'kind', 'interaction', 'unit', 'micro', 'cap', o.cap, 'amount', p_cost)), '[]')
    from (select '00000000-0000-0000-0000-000000000000'::uuid as policy_id, c.id as subject,
                 'epoch'::timestamptz as starts_at, c.cost_cap_micro as cap
          from chain c where c.cost_cap_micro is not null
          union all
          select m.policy_id, m.subject, m.starts_at, m.cap
          from chain c join meter m on m.account_id = p_account and m.subject = c.id and m.kind = 'interaction'
          where c.up > 0) o);
end $$;

-- domain.meters.Demand as rows; back: how much of what was reserved before goes back.
create function demands_v1(p_demands jsonb) returns table (policy_id uuid, subject uuid, starts_at timestamptz,
    ends_at timestamptz, kind text, unit text, cap bigint, amount bigint, refill numeric, seconds bigint, back bigint)
language sql stable as $$
    select * from jsonb_to_recordset(p_demands) as d (policy_id uuid, subject uuid, starts_at timestamptz,
        ends_at timestamptz, kind text, unit text, cap bigint, amount bigint, refill numeric, seconds bigint, back bigint)
$$;

-- Demands, each meter once and in the order of their keys, with what the step holds already, which goes back.
create function merged_v1(p_demands jsonb, p_held jsonb) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(to_jsonb(o) order by o.policy_id, o.subject, o.starts_at), '[]')
        from (select x.policy_id, x.subject, x.starts_at, max(x.ends_at) as ends_at, max(x.kind) as kind,
                     max(x.unit) as unit, min(x.cap) as cap, coalesce(max(x.amount), 0) as amount,
                     max(x.refill) as refill, max(x.seconds) as seconds, coalesce(sum(x.back), 0) as back
              from (select * from demands_v1(p_demands)
                    union all
                    select h.policy_id, h.subject, h.starts_at, null, null, null, null, null, null, null, h.amount
                    from demands_v1(p_held) h) x
              group by 1, 2, 3) o);
end $$;

create function meter_open_v1(p_account uuid, p_policy uuid, p_subject uuid, p_starts timestamptz, p_ends timestamptz,
                              p_kind text, p_unit text, p_cap bigint) returns void language plpgsql as $$
begin
    insert into meter (account_id, policy_id, subject, starts_at, ends_at, kind, unit, cap, spent, level, touched_at)
    values (p_account, p_policy, p_subject, p_starts, p_ends, p_kind, p_unit, p_cap,
            meter_seed_v1(p_account, p_policy, p_subject, p_starts, p_kind),
            case p_kind when 'bucket' then p_cap end, case p_kind when 'bucket' then clock() end)
    on conflict do nothing;
end $$;

-- Reserve the worst case of one step under all of its limits, or nothing. p_demands: domain.meters.Demand, in order; p_cost:
-- what the step costs at most, for the turns above. Returns {ok: true}, or {ok: false, and the limit that holds it up longest}.
create function reserve_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_cost bigint, p_demands jsonb)
returns jsonb language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v record;
    d record;
    m meter;
    v_held jsonb;
    v_wait double precision;
    v_refused jsonb;
begin
    select state, attempt, parent_id, cost_cap_micro into v from interaction
    where account_id = p_account and id = p_interaction;
    if not found or v.state <> 'running' or v.attempt <> p_attempt then
        raise exception 'another node has taken this interaction over' using errcode = 'RT412';
    end if;

    -- what this step holds already goes back: of an attempt that is no more, or of this one, which calls again
    for d in select r.demands, r.attempt from reservation r where r.account_id = p_account
        and r.interaction_id = p_interaction and r.step_seq = p_seq and r.state = 'held' order by r.attempt for update
    loop
        v_held := coalesce(v_held, '[]') || d.demands;
        update reservation set state = 'released' where account_id = p_account and interaction_id = p_interaction
            and step_seq = p_seq and attempt = d.attempt;
    end loop;
    if v_held is not null or v.parent_id is not null or v.cost_cap_micro is not null then
        p_demands := merged_v1(p_demands || inherited_v1(p_account, p_interaction, p_cost), coalesce(v_held, '[]'));
    end if;

    for d in select * from demands_v1(p_demands) loop
        for v_try in 1..2 loop
            update meter set cap = coalesce(d.cap, cap), refill = coalesce(d.refill / d.seconds, refill),
                ends_at = coalesce(d.ends_at, ends_at), reserved = reserved + d.amount - coalesce(d.back, 0),
                -- a limit that was raised is warned of anew
                warned = case when d.cap <> cap and d.cap > 0 then least(warned, spent * 100 / d.cap) else warned end,
                level = case when kind = 'bucket' then round(least(coalesce(d.cap, cap), level + coalesce(d.back, 0)
                    + greatest(extract(epoch from clock() - touched_at), 0)
                    * coalesce(d.refill / d.seconds, refill)), 12) - d.amount end,
                touched_at = case when kind = 'bucket' then greatest(touched_at, clock()) end
            where account_id = p_account and policy_id = d.policy_id and subject = d.subject and starts_at = d.starts_at
            returning * into m;
            exit when found or d.kind is null;
            v_ok := meter_open_v1(p_account, d.policy_id, d.subject, d.starts_at, d.ends_at, d.kind, d.unit, d.cap) is null;
        end loop;
        -- what costs nothing goes past no limit
        if d.amount > 0 and (case m.kind when 'bucket' then m.level < 0 else m.spent + m.reserved > m.cap end) then
            v_wait := case when d.amount > m.cap then null when m.kind = 'bucket' then -m.level / nullif(m.refill, 0)
                else extract(epoch from m.ends_at - clock()) end;
            if v_refused is null or v_wait is null or v_wait > (v_refused ->> 'retry_after_seconds')::double precision then
                v_refused := jsonb_build_object('ok', false, 'policy_id', m.policy_id, 'subject', m.subject,
                    'kind', m.kind, 'unit', m.unit, 'cap', m.cap, 'amount', d.amount,
                    'left', greatest(case m.kind when 'bucket' then floor(m.level + d.amount)
                                     else m.cap - m.spent - m.reserved + d.amount end, 0),
                    'starts_at', m.starts_at, 'retry_after_seconds', v_wait,
                    'name', (select p.name from policy p where p.account_id = p_account and p.id = m.policy_id));
            end if;
        end if;
    end loop;
    if v_refused is not null then
        v_ok := meter_close_v1(p_account, p_interaction, p_demands, true, false, null, null) is null;
        return v_refused;
    end if;
    if p_demands <> '[]' then
        insert into reservation (account_id, interaction_id, step_seq, attempt, demands)
        values (p_account, p_interaction, p_seq, p_attempt,
                case when v_held is null then p_demands else wanted_v1(p_demands) end)
        on conflict (account_id, interaction_id, step_seq, attempt) do update
            set state = 'held', demands = excluded.demands, created_at = clock();
    end if;
    return '{"ok": true}';
end $$;

-- Without those that only gave back.
create function wanted_v1(p_demands jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(o), '[]') from jsonb_array_elements(p_demands) o where o ->> 'kind' is not null
$$;

-- ── settle ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Tell those who can raise it that a budget is used up to some percent, once in each period.
create function budget_warned_v1(p_account uuid, p_interaction uuid, m meter) returns int language plpgsql as $$
declare
    v_percent int;
    v_policy policy;
begin
    select * into v_policy from policy where account_id = p_account and id = m.policy_id;
    select max(w::int) into v_percent from jsonb_array_elements_text(coalesce(v_policy.rule -> 'warn_at', '[]')) w
    where m.spent * 100 >= m.cap * w::int;
    if v_percent is null or v_percent <= m.warned then
        return m.warned;
    end if;
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, detail)
    values (p_account, new_id(), 'budget.warning', 'system', 'retinue', p_interaction, jsonb_build_object(
        'policy_id', m.policy_id, 'name', v_policy.name, 'layer', v_policy.layer, 'team_id', v_policy.team_id,
        'per', v_policy.rule -> 'per', 'percent', v_percent, 'spent_micro', m.spent, 'limit_micro', m.cap,
        'starts_at', m.starts_at, 'ends_at', m.ends_at)
        || case when v_policy.rule ->> 'per' in ('team', 'user', 'agent')
           then jsonb_build_object((v_policy.rule ->> 'per') || '_id', m.subject) else '{}' end);
    perform notify_v1(p_account, 'budget', m.policy_id, o.user_id) from (
        select distinct b.user_id from member b where b.account_id = p_account
          and case v_policy.layer when 'user' then b.user_id = v_policy.user_id
              else (b.team_id is null and b.role in ('owner', 'admin')) or (b.team_id = v_policy.team_id and b.role = 'lead')
              end) o;
    return v_percent;
end $$;

-- Close a reservation whose row the caller holds: what was reserved goes back, what the call came to is spent.
-- p_held: whether it still is reserved. p_happened: false when the call was never made.
create function meter_close_v1(p_account uuid, p_interaction uuid, p_demands jsonb, p_held boolean, p_happened boolean,
                               p_cost bigint, p_tokens bigint) returns void language plpgsql as $$
declare
    d record;
    m meter;
    v_back bigint;
    v_used bigint;
    v_warned int;
begin
    for d in select * from demands_v1(p_demands) loop
        v_back := case when p_held then d.amount else 0 end;
        -- what is not known counts as the worst case
        v_used := case when not p_happened then 0 when d.unit = 'micro' then coalesce(p_cost, d.amount)
                  when d.unit = 'tokens' then coalesce(p_tokens, d.amount) else d.amount end;
        update meter set reserved = reserved - v_back, spent = spent + v_used,
            level = case when kind = 'bucket' then round(least(cap, level
                + greatest(extract(epoch from clock() - touched_at), 0) * refill + v_back - v_used), 12) end,
            touched_at = case when kind = 'bucket' then greatest(touched_at, clock()) end
        where account_id = p_account and policy_id = d.policy_id and subject = d.subject and starts_at = d.starts_at
        returning * into m;
        -- a look at the rule for each percent, not for each call
        if found and m.kind = 'budget' and m.cap > 0 and m.spent * 100 / m.cap > (m.spent - v_used) * 100 / m.cap
            and m.spent * 100 / m.cap > m.warned then
            v_warned := budget_warned_v1(p_account, p_interaction, m);
            if v_warned > m.warned then
                update meter set warned = v_warned where account_id = p_account and policy_id = d.policy_id
                    and subject = d.subject and starts_at = d.starts_at;
            end if;
        end if;
    end loop;
end $$;

-- Settle one attempt of a step by what it cost and used (null: not known). False when it was settled before.
create function settle_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_cost bigint, p_tokens bigint)
returns boolean language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v record;
begin
    delete from reservation where account_id = p_account and interaction_id = p_interaction and step_seq = p_seq
        and attempt = p_attempt returning state, demands into v;
    if not found then
        return false;
    end if;
    perform meter_close_v1(p_account, p_interaction, v.demands, v.state = 'held', true, p_cost, p_tokens);
    return true;
end $$;

-- The call was not made. False when nothing is held for it.
create function unreserve_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int) returns boolean
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v_demands jsonb;
begin
    update reservation set state = 'released' where account_id = p_account and interaction_id = p_interaction
        and step_seq = p_seq and attempt = p_attempt and state = 'held' returning demands into v_demands;
    if not found then
        return false;
    end if;
    perform meter_close_v1(p_account, p_interaction, v_demands, true, false, null, null);
    return true;
end $$;

-- What a process that is no more has left: a step that has ended is settled by what its row says, one whose attempt is
-- gone is released. Returns settled, released, or held for one that still runs.
create function settle_left_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int) returns text
language plpgsql as $$
declare
    v_ok boolean := tenant_v1(p_account);
    v record;
begin
    -- one look at both: a turn ends in the same moment as its last step
    select i.state, i.attempt, s.state as step_state, s.attempt as step_attempt, s.cost_micro,
           s.input_tokens + s.output_tokens as tokens
    into v from interaction i
    left join step s on s.account_id = p_account and s.interaction_id = p_interaction and s.seq = p_seq
    where i.account_id = p_account and i.id = p_interaction;
    if v.step_state in ('success', 'failed') and v.step_attempt = p_attempt then
        v_ok := settle_v1(p_account, p_interaction, p_attempt, p_seq, v.cost_micro, v.tokens);
        return 'settled';
    elsif v.state = 'running' and v.attempt = p_attempt then
        return 'held';
    end if;
    v_ok := unreserve_v1(p_account, p_interaction, p_attempt, p_seq);
    return 'released';
end $$;

-- ── usage that could not be written ─────────────────────────────────────────────────────────────────────────────

-- Where usage goes when its own tables refuse it, so that a turn never fails for it (COST-03, CON-05). The functions of
-- the turn write to token_event and usage_counter; with this schema before retinue in the search path they write here
-- instead (store/late.py), and the worker brings it over. No turn that goes well pays for it.
create schema retinue_late;
grant usage on schema retinue_late to retinue_app, retinue_system;
create table retinue_late.token_event (like token_event including all);
create table retinue_late.usage_counter (like usage_counter including all);
do $$
declare
    t text;
begin
    foreach t in array array['token_event', 'usage_counter'] loop
        execute format('alter table retinue_late.%I enable row level security', t);
        execute format('alter table retinue_late.%I force row level security', t);
        execute format('create policy tenant on retinue_late.%I to retinue_app using (account_id = current_account())
                        with check (account_id = current_account())', t);
        execute format('create policy system on retinue_late.%I to retinue_system using (true)', t);
        execute format('create policy owner on retinue_late.%I to current_user using (true) with check (true)', t);
        execute format('grant select, insert, update, delete on retinue_late.%I to retinue_app', t);
        execute format('grant select (account_id) on retinue_late.%I to retinue_system', t);
    end loop;
end $$;

-- Bring over what an account has there, row by row; what is still refused stays. Returns how many came over.
create function late_usage_v1(p_account uuid) returns int language plpgsql as $$
declare
    v_ok boolean := tenant_v1(p_account);
    e retinue_late.token_event;
    c retinue_late.usage_counter;
    v_count int := 0;
begin
    for e in select * from retinue_late.token_event where account_id = p_account for update skip locked loop
        begin
            insert into token_event values (e.*) on conflict (account_id, interaction_id, step_seq) do nothing;
            delete from retinue_late.token_event where account_id = p_account and id = e.id;
            v_count := v_count + 1;
        exception when others then
            raise log 'usage is still refused: %', sqlerrm;
        end;
    end loop;
    for c in select * from retinue_late.usage_counter where account_id = p_account for update skip locked loop
        begin
            insert into usage_counter as u values (c.*)
            on conflict (account_id, day, agent_id, shard) do update set
                interactions = u.interactions + excluded.interactions, model_calls = u.model_calls + excluded.model_calls,
                tool_calls = u.tool_calls + excluded.tool_calls, input_tokens = u.input_tokens + excluded.input_tokens,
                output_tokens = u.output_tokens + excluded.output_tokens, cost_micro = u.cost_micro + excluded.cost_micro,
                unpriced = u.unpriced + excluded.unpriced;
            delete from retinue_late.usage_counter where account_id = p_account and day = c.day and agent_id = c.agent_id
                and shard = c.shard;
            v_count := v_count + 1;
        exception when others then
            raise log 'usage is still refused: %', sqlerrm;
        end;
    end loop;
    return v_count;
end $$;

-- As v2; usage that is refused is kept for later. The outcome of a call may stand in the transaction of what the call did,
-- which must not be lost for it.
create function act_done_v3(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns void language plpgsql as $$
declare
    v_path text := current_setting('search_path');
begin
    begin
        perform act_done_v2(p_account, p_interaction, p_attempt, p);
    exception when others then
        if sqlstate like 'RT%' or sqlstate like '40%' or sqlstate like '55%' then
            raise;
        end if;
        raise log 'usage is kept for later: %', sqlerrm;
        perform set_config('search_path', 'retinue_late, ' || v_path, true);
        perform act_done_v2(p_account, p_interaction, p_attempt, p);
        perform set_config('search_path', v_path, true);
    end;
end $$;
