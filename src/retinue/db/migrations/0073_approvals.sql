-- Approvals: who may decide about a wait, what they say, and how it leaves `open`. The decision itself is pure
-- (domain/approvals.py); these functions lock, read and write, in the order thread, interaction, wait.

-- An API key decides about calls only where it was given that right.
alter table api_key drop constraint api_key_scopes_check;
alter table api_key add constraint api_key_scopes_check check (scopes <@ array['read', 'write', 'admin', 'approve']);

-- Decisions of one wait in their order: the last edit is what the next person sees.
alter table approval_decision add column place int not null default 1;

create index wait_due on wait (due_at) where state = 'open' and due_at is not null;
create index approval_grant_user on approval_grant (granted_by);

-- ── who may decide ──────────────────────────────────────────────────────────────────────────────────────────────

-- The role that counts where a call is made: the account's; who leads the channel's team is at least a lead. Null for
-- who is no active member.
create function approver_role_v1(p_account uuid, p_user uuid, p_team uuid) returns text language plpgsql stable as $$
declare
    v_role text;
begin
    select m.role into v_role from member m join app_user u on u.account_id = p_account and u.id = m.user_id
    where m.account_id = p_account and m.user_id = p_user and m.team_id is null and u.status = 'active';
    if v_role = 'member' and p_team is not null and exists (select from member
            where account_id = p_account and user_id = p_user and team_id = p_team and role <> 'member') then
        return 'lead';
    end if;
    return v_role;
end $$;

create function role_rank_v1(p_role text) returns int language sql immutable as
$$ select case p_role when 'owner' then 3 when 'admin' then 2 when 'lead' then 1 when 'member' then 0 end $$;

-- Whether a panel names too few people ever to be satisfied: then the owners stand in. With a role they are in anyway.
create function panel_short_v1(p_account uuid, p_panel jsonb, p_requester uuid) returns boolean
language plpgsql stable as $$
begin
    if p_panel ->> 'role' is not null then
        return false;
    end if;
    return (select count(*) < (p_panel ->> 'quorum')::int
        from member m join app_user u on u.account_id = p_account and u.id = m.user_id
        where m.account_id = p_account and m.team_id is null and u.status = 'active'
          and (p_panel -> 'users' ? m.user_id::text or ((p_panel ->> 'requester')::boolean and m.user_id = p_requester))
          and not ((p_panel ->> 'four_eyes')::boolean and m.user_id is not distinct from p_requester));
end $$;

-- As domain.approvals.Asked.admits, for lists and news; a test holds the two together.
create function panel_admits_v1(p_account uuid, p_panel jsonb, p_requester uuid, p_user uuid, p_role text) returns boolean
language plpgsql stable as $$
begin
    if p_role is null then
        return false;
    end if;
    if p_user = p_requester then
        if (p_panel ->> 'four_eyes')::boolean then
            return false;
        elsif (p_panel ->> 'requester')::boolean then
            return true;
        end if;
    end if;
    return p_panel -> 'users' ? p_user::text
        or coalesce(role_rank_v1(p_role) >= role_rank_v1(p_panel ->> 'role'), false)
        or (p_role = 'owner' and panel_short_v1(p_account, p_panel, p_requester));
end $$;

create function may_decide_v1(p_account uuid, p_ask jsonb, p_requester uuid, p_team uuid, p_user uuid) returns boolean
language plpgsql stable as $$
declare
    v_role text := approver_role_v1(p_account, p_user, p_team);
begin
    return exists (select from jsonb_array_elements(p_ask -> 'panels') p
                   where panel_admits_v1(p_account, p, p_requester, p_user, v_role));
end $$;

-- ── news ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Whoever may decide, and whoever asked, hear of an approval as it opens, goes on and ends. Where that is nearly
-- everybody, everybody is told: the scope is then the account.
create function approval_told_v1(p_account uuid, p_wait wait) returns void language plpgsql as $$
declare
    v_requester uuid;
    v_team uuid;
    v_named text[];
    v_anyone boolean;
    v_people uuid[];
begin
    select i.user_id, c.team_id into v_requester, v_team
    from interaction i left join channel c on c.account_id = p_account and c.id = i.channel_id
    where i.account_id = p_account and i.id = p_wait.interaction_id;
    select coalesce(array_agg(u), '{}'), coalesce(bool_or(p ->> 'role' = 'member'), false) into v_named, v_anyone
    from jsonb_array_elements(p_wait.ask -> 'panels') p left join jsonb_array_elements_text(p -> 'users') u on true;
    -- most people can be told from afar not to be asked
    v_people := array(select m.user_id from member m
        where m.account_id = p_account and m.team_id is null
          and (v_anyone or m.role <> 'member' or m.user_id::text = any (v_named) or m.user_id = v_requester
               or exists (select from member t where t.account_id = p_account and t.team_id = v_team
                          and t.user_id = m.user_id))
          and (m.user_id = v_requester or may_decide_v1(p_account, p_wait.ask, v_requester, v_team, m.user_id)) limit 101);
    if cardinality(v_people) > 100 then
        perform notify_v1(p_account, 'approval', p_wait.id, p_account);
    else
        perform notify_v1(p_account, 'approval', p_wait.id, one) from unnest(v_people) one;
    end if;
end $$;

-- Every panel that its own people cannot satisfy stands in the record as its question is asked.
create function approval_short_v1(p_account uuid, p_wait wait) returns void language plpgsql as $$
declare
    v interaction;
    v_short int;
begin
    select * into v from interaction where account_id = p_account and id = p_wait.interaction_id;
    select count(*) into v_short from jsonb_array_elements(p_wait.ask -> 'panels') p
    where panel_short_v1(p_account, p, v.user_id);
    if v_short > 0 then
        perform audit_v1(p_account, v, 'approval.unroutable', p_wait.step_seq,
                         jsonb_build_object('wait_id', p_wait.id, 'tool', p_wait.tool, 'panel_count', v_short));
    end if;
end $$;

create function approval_changed() returns trigger language plpgsql as $$
begin
    if new.ask is not null then
        if old.ask is null then
            perform approval_short_v1(new.account_id, new);
        end if;
        perform approval_told_v1(new.account_id, new);
    end if;
    return null;
end $$;
create trigger approval_changed after update of ask, state on wait for each row
when (new.kind = 'approval' and (old.ask is distinct from new.ask or old.state <> new.state))
execute function approval_changed();

-- ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────────

create function approval_said_v1(p_account uuid, p_wait uuid, p_team uuid) returns jsonb language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('user_id', d.user_id, 'user_name', u.name,
            'role', approver_role_v1(p_account, d.user_id, p_team), 'choice', d.decision, 'reason', d.reason,
            'arguments', d.arguments, 'arguments_hash', d.arguments_hash, 'decided_at', d.decided_at) order by d.place), '[]')
        from approval_decision d left join app_user u on u.account_id = p_account and u.id = d.user_id
        where d.account_id = p_account and d.wait_id = p_wait);
end $$;

create function approval_panels_short_v1(p_account uuid, p_ask jsonb, p_requester uuid) returns jsonb
language plpgsql stable as $$
begin
    return (select coalesce(jsonb_agg(p), '[]') from jsonb_array_elements(p_ask -> 'panels') p
            where panel_short_v1(p_account, p, p_requester));
end $$;

-- Hold an approval for a decision: nothing of it changes until the transaction ends.
create function approval_take_v1(p_account uuid, p_wait uuid, p_user uuid) returns jsonb language plpgsql as $$
declare
    v interaction;
    v_wait wait;
    v_team uuid;
begin
    perform tenant_v1(p_account);
    select * into v_wait from wait where account_id = p_account and id = p_wait and kind = 'approval' and ask is not null;
    if not found then
        raise exception 'there is no request for approval by that id, or you may not see it' using errcode = 'RT404';
    end if;
    v := take_v1(p_account, v_wait.interaction_id);
    select * into v_wait from wait where account_id = p_account and id = p_wait for update;
    select team_id into v_team from channel where account_id = p_account and id = v.channel_id;
    return jsonb_build_object('wait', to_jsonb(v_wait), 'requester', v.user_id, 'agent_id', v.agent_id,
        'channel_id', v.channel_id, 'role', approver_role_v1(p_account, p_user, v_team),
        'overdue', coalesce(v_wait.due_at <= clock(), false), 'said', approval_said_v1(p_account, p_wait, v_team),
        'short', approval_panels_short_v1(p_account, v_wait.ask, v.user_id),
        'governance', (select governance from account where id = p_account));
end $$;

-- A wait leaves `open`, once, and its turn goes on. p: {state, resolution, user_id, actor_type, actor_id, event, detail}.
-- False when it had left before.
create function close_wait_v1(p_account uuid, p_wait uuid, p jsonb) returns boolean language plpgsql as $$
declare
    v interaction;
    v_wait wait;
begin
    perform tenant_v1(p_account);
    select * into v_wait from wait where account_id = p_account and id = p_wait;
    if not found then
        raise exception 'no such wait' using errcode = 'RT404';
    end if;
    v := take_v1(p_account, v_wait.interaction_id);
    update wait set state = p ->> 'state', resolution = p -> 'resolution', resolved_by = (p ->> 'user_id')::uuid,
        resolved_at = clock()
    where account_id = p_account and id = p_wait and state = 'open'
      and (p ->> 'state' <> 'expired' or due_at <= clock());
    if not found then
        return false;
    end if;
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
    values (p_account, new_id(), p ->> 'event', p ->> 'actor_type', p ->> 'actor_id', v.id, v_wait.step_seq,
            jsonb_build_object('wait_id', p_wait, 'kind', v_wait.kind, 'tool', v_wait.tool) || coalesce(p -> 'detail', '{}'));
    if v.state = 'waiting' then
        update interaction set state = 'queued', job_id = enqueue_turn_v1(p_account, v.id)
        where account_id = p_account and id = v.id;
    end if;
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return true;
end $$;

-- Write what a person decided; the caller holds the wait (approval_take_v1). p: {choice, reason, arguments (null: as they
-- were), arguments_hash, detail (for the record), resolution (null: others have to decide, too)}
create function approval_decide_v1(p_account uuid, p_wait uuid, p_user uuid, p jsonb) returns void language plpgsql as $$
declare
    v_wait wait;
begin
    insert into approval_decision (account_id, wait_id, user_id, decision, reason, arguments, arguments_hash, place)
    select p_account, p_wait, p_user, p ->> 'choice', p ->> 'reason', nullif(p -> 'arguments', 'null'),
           p ->> 'arguments_hash', 1 + coalesce(max(d.place), 0)
    from approval_decision d where d.account_id = p_account and d.wait_id = p_wait;
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
    select p_account, new_id(), 'approval.decided', 'user', p_user::text, w.interaction_id, w.step_seq,
           jsonb_build_object('wait_id', p_wait, 'tool', w.tool, 'decision', p -> 'choice',
                              'arguments_hash', p -> 'arguments_hash') || (p -> 'detail')
    from wait w where w.account_id = p_account and w.id = p_wait;
    if p -> 'resolution' <> 'null' then
        perform close_wait_v1(p_account, p_wait, jsonb_build_object('state', 'resolved', 'resolution', p -> 'resolution',
            'user_id', p_user, 'actor_type', 'user', 'actor_id', p_user, 'event', 'wait.resolved'));
    else
        select * into v_wait from wait where account_id = p_account and id = p_wait;
        perform approval_told_v1(p_account, v_wait);
    end if;
end $$;

-- ── time is up ──────────────────────────────────────────────────────────────────────────────────────────────────

-- What was agreed on beforehand for when nobody decides in time: the turn reads it in wait.ask.
create function expire_wait_v1(p_account uuid, p_wait uuid) returns boolean language plpgsql as $$
declare
    v_wait wait;
begin
    perform tenant_v1(p_account);
    select * into v_wait from wait where account_id = p_account and id = p_wait;
    if not found then
        return false;
    end if;
    return close_wait_v1(p_account, p_wait, jsonb_build_object('state', 'expired', 'actor_type', 'system',
        'actor_id', 'retinue', 'event', case v_wait.kind when 'approval' then 'approval.expired' else 'wait.expired' end,
        'detail', case when v_wait.ask is null then '{}' else jsonb_build_object('on_expiry', v_wait.ask -> 'on_expiry') end,
        'resolution', case v_wait.kind when 'approval' then jsonb_build_object('decision', 'expired', 'by', '[]'::jsonb,
            'arguments_hash', v_wait.arguments_hash, 'reason', '', 'question', '') end));
end $$;

-- ── streaming ───────────────────────────────────────────────────────────────────────────────────────────────────

-- As v1, and says until when a wait is open, and the hash of what has to be approved.
create function stream_read_v2(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_whole boolean) returns jsonb
language plpgsql as $$
declare
    v jsonb := stream_read_v1(p_account, p_interaction, p_attempt, p_seq, p_whole);
begin
    if not p_whole or v -> 'waits' = '[]' then
        return v;
    end if;
    return jsonb_set(v, '{waits}', (select coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'kind', w.kind,
            'prompt', w.prompt, 'tool', w.tool, 'step_seq', w.step_seq, 'due_at', w.due_at,
            'arguments_hash', w.arguments_hash) order by w.id), '[]')
        from wait w where w.account_id = p_account and w.interaction_id = p_interaction and w.state = 'open'));
end $$;
