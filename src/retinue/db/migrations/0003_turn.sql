-- The hot path: a plain turn is three transactions, each one call of one function. Functions are versioned, so that
-- old and new nodes run together during an upgrade; a change makes a new name.
-- Locks are always taken in the order channel, thread, interaction.
-- Errors: RT404 not there (or not yours), RT409 wrong state, RT403 no right, RT423 thread busy, RT412 fenced.

create function enqueue_v1(p_entrypoint text, p_payload jsonb, p_delay interval default '0', p_priority int default 0)
returns bigint language plpgsql as $$
declare
    v_id bigint;
begin
    insert into queue.pgqueuer (priority, entrypoint, payload, execute_after, status)
    values (p_priority, p_entrypoint, convert_to(p_payload::text, 'utf8'), now() + p_delay, 'queued')
    returning id into v_id;
    return v_id;
end $$;

create function turn_payload_v1(p_account uuid, p_interaction uuid) returns bytea language sql as
$$ select convert_to(jsonb_build_object('account_id', p_account, 'interaction_id', p_interaction)::text, 'utf8') $$;

create function enqueue_turn_v1(p_account uuid, p_interaction uuid, p_delay interval default '0') returns bigint
language plpgsql as $$
declare
    v_id bigint;
begin
    insert into queue.pgqueuer (priority, entrypoint, payload, execute_after, status)
    values (0, 'turn', turn_payload_v1(p_account, p_interaction), now() + p_delay, 'queued')
    returning id into v_id;
    return v_id;
end $$;

-- Tell every node: something by this id has changed. Scope: the channel (or the person) whose readers it concerns.
-- These three give a boolean, so that PL/pgSQL can assign it: that inlines them, where PERFORM runs a whole query.
create function notify_v1(p_account uuid, p_topic text, p_id uuid, p_scope uuid) returns boolean language sql as
$$ select pg_notify('retinue_live', concat_ws(' ', p_account, p_topic, p_id, p_scope)) is not null $$;

-- Commit without waiting for the disk; the caller waits for it after (Database.flush). A commit that notifies holds a
-- lock that all such commits share, and through an fsync that would put them one behind the other. Nothing is less
-- durable: the log is written in order, so whatever builds on this commit is on disk only if this is (decision 0007).
create function defer_flush_v1() returns boolean language sql as
$$ select set_config('synchronous_commit', 'off', true) is not null $$;

create function tenant_v1(p_account uuid) returns boolean language sql as
$$ select set_config('retinue.account_id', p_account::text, true) is not null $$;

-- May this user read and write in this channel? Organisation: every member of the account; team: the team's members;
-- group and private: those invited.
-- PL/pgSQL, as all functions here that hold a query: it keeps the plan, where SQL functions plan anew at each call.
create function may_enter_v1(p_account uuid, p_channel uuid, p_user uuid) returns boolean language plpgsql stable as $$
declare
    v_kind text;
    v_team uuid;
begin
    select kind, team_id into v_kind, v_team from channel where account_id = p_account and id = p_channel;
    if not found then
        return false;
    end if;
    perform from channel_member where account_id = p_account and channel_id = p_channel and party_id = p_user;
    if found then
        return true;
    end if;
    if v_kind = 'organisation' then
        perform from member where account_id = p_account and user_id = p_user and team_id is null;
        return found;
    elsif v_kind = 'team' then
        perform from member where account_id = p_account and user_id = p_user and team_id = v_team;
        return found;
    end if;
    return false;
end $$;

create function mode_rank(p_mode text) returns int language sql immutable as
$$ select case p_mode when 'proactive' then 2 when 'mention' then 1 when 'silent' then 0 end $$;

-- Wake the next turn that is parked behind another in this thread. The caller holds the thread.
create function wake_thread_v1(p_account uuid, p_thread uuid) returns uuid language plpgsql as $$
declare
    v_next uuid;
begin
    select id into v_next from interaction
    where account_id = p_account and thread_id = p_thread and state = 'queued' and job_id is null
    order by trigger_seq, id limit 1 for update;
    if v_next is not null then
        update interaction set job_id = enqueue_turn_v1(p_account, v_next)
        where account_id = p_account and id = v_next;
    end if;
    return v_next;
end $$;

-- Feed a channel's recent messages into an agent's thread (THR-19, THR-20); returns the thread position reached.
create function feed_thread_v1(p_account uuid, p_channel uuid, p_agent uuid, p_thread uuid, p_upto bigint, p_from bigint)
returns bigint language plpgsql as $$
declare
    v_last bigint;
    v_count bigint;
begin
    select last_seq into v_last from thread where account_id = p_account and id = p_thread for update;
    insert into thread_message (account_id, thread_id, seq, id, role, author, parts, message_id, text, created_at)
    select p_account, p_thread, v_last + row_number() over (order by m.seq), new_id(), 'user',
           coalesce(u.name, g.name, m.author_kind),
           jsonb_build_array(jsonb_build_object('kind', 'text', 'text', m.content)) || m.parts,
           m.id, m.content, m.created_at
    from (select * from message x where x.account_id = p_account and x.channel_id = p_channel
            and x.seq > p_from and x.seq <= p_upto and x.status = 'sent' and x.delivery <> 'direct'
            and x.agent_id is distinct from p_agent
          order by x.seq desc limit 30) m
    left join app_user u on u.account_id = p_account and u.id = m.user_id
    left join agent g on g.account_id = p_account and g.id = m.agent_id;
    get diagnostics v_count = row_count;
    update thread set last_seq = v_last + v_count, last_active_at = clock()
    where account_id = p_account and id = p_thread;
    update agent_thread set fed_seq = p_upto, last_active_at = clock()
    where account_id = p_account and channel_id = p_channel and agent_id = p_agent;
    return v_last + v_count;
end $$;

-- Where a reply in a thread goes: under what the input replied to, else under the input.
create function reply_place_v1(p_event jsonb, p_delivery text) returns uuid language sql immutable as $$
    select case when p_delivery = 'threaded' then coalesce(p_event ->> 'reply_to', p_event ->> 'message_id')::uuid end
$$;

-- Does this turn answer in that place: the same delivery, thread, reader (of direct replies) and parent?
create function answers_in_v1(v interaction, p_delivery text, p_reply_to uuid, p_user uuid, p_parent uuid) returns boolean
language sql immutable as $$
    select v.delivery = p_delivery and v.reply_to is not distinct from p_reply_to
        and (p_delivery <> 'direct' or v.user_id is not distinct from p_user)
        and v.parent_id is not distinct from p_parent
$$;

-- Start a turn in a thread for input that has reached p_seq, by the channel's policy. The caller holds the thread.
-- A turn takes in what is to be answered where it answers; other input waits for a turn of its own, whatever the policy.
create function start_turn_v1(p_account uuid, p_thread uuid, p_agent uuid, p_seq bigint, p_event jsonb, p_channel channel)
returns jsonb language plpgsql as $$
declare
    v_ok boolean;
    v_active interaction;
    v_id uuid := new_id();
    v_parked boolean := false;
    v_delay interval := make_interval(secs => coalesce(p_channel.debounce_ms, 0) / 1000.0);
    v_policy text := coalesce(p_event ->> 'policy', p_channel.input_policy, 'queue');
    v_delivery text := coalesce(p_event ->> 'delivery', p_channel.default_delivery, 'inline');
    v_reply_to uuid := reply_place_v1(p_event, v_delivery);
    v_user uuid := (p_event ->> 'user_id')::uuid;
    v_parent uuid := (p_event ->> 'parent_interaction_id')::uuid;
    v_steered uuid;
begin
    -- the last in line: input that is answered elsewhere may stand between this and the turn that runs
    select * into v_active from interaction
    where account_id = p_account and thread_id = p_thread and state in ('queued', 'running') and not cancel_requested
    order by state = 'running', id desc limit 1 for update;
    if v_active.id is not null then
        if v_policy = 'reject' then
            raise exception 'the agent is working' using errcode = 'RT423';
        elsif v_policy = 'coalesce' and answers_in_v1(v_active, v_delivery, v_reply_to, v_user, v_parent) then
            if v_active.state = 'queued' then
                update interaction set trigger_seq = p_seq where account_id = p_account and id = v_active.id;
                if v_delay > '0' and v_active.job_id is not null then
                    update queue.pgqueuer set execute_after = least(now() + v_delay, created + 10 * v_delay)
                    where id = v_active.job_id and status = 'queued';
                end if;
            else
                update thread set late_seq = p_seq where account_id = p_account and id = p_thread;
            end if;
            return jsonb_build_object('id', v_active.id, 'agent_id', p_agent, 'state', v_active.state, 'coalesced', true);
        elsif v_policy = 'steer' then
            update interaction i set cancel_requested = true, cancel_reason = 'superseded'
            where account_id = p_account and thread_id = p_thread and state = 'running' and not cancel_requested
              and answers_in_v1(i, v_delivery, v_reply_to, v_user, v_parent)
            returning id into v_steered;
            update interaction i set state = 'cancelled', stop_reason = 'superseded', ended_at = clock()
            where account_id = p_account and thread_id = p_thread and state = 'queued'
              and answers_in_v1(i, v_delivery, v_reply_to, v_user, v_parent);
            v_ok := v_steered is null or notify_v1(p_account, 'cancel', v_steered, v_active.channel_id);
        end if;
        -- behind one that runs or is about to: that one wakes it when it ends
        v_parked := exists (select from interaction where account_id = p_account and thread_id = p_thread
                            and (state = 'running' or (state = 'queued' and job_id is not null)));
    end if;
    insert into interaction (account_id, id, agent_id, thread_id, channel_id, message_id, event_id, user_id, parent_id,
                             first_seq, trigger_seq, delivery, reply_to, options, job_id)
    values (p_account, v_id, p_agent, p_thread, p_channel.id, (p_event ->> 'message_id')::uuid, (p_event ->> 'id')::uuid,
            v_user, v_parent, p_seq, p_seq, v_delivery, v_reply_to, coalesce(p_event -> 'options', '{}'),
            case when v_parked then null else enqueue_turn_v1(p_account, v_id, v_delay) end);
    v_ok := notify_v1(p_account, 'thinking', v_id, coalesce(p_channel.id, v_user));
    return jsonb_build_object('id', v_id, 'agent_id', p_agent, 'state', 'queued', 'coalesced', false);
end $$;

-- An agent's first turn in a channel: nobody to wait for, so thread, input, queue entry and turn are one statement;
-- except where the channel has a past to feed in.
create function first_turn_v1(p_account uuid, p_event jsonb, p_channel channel, p_message message, p_agent uuid, p_slug text,
                              p_mode text, p_author text) returns jsonb language plpgsql as $$
declare
    v_ok boolean;
    v_thread uuid := coalesce((p_event -> 'ids' ->> 0)::uuid, new_id());
    v_id uuid := coalesce((p_event -> 'ids' ->> 1)::uuid, new_id());
    v_alone boolean := p_message.seq = 1;
    v_delivery text := coalesce(p_event ->> 'delivery', p_channel.default_delivery);
    v_delay interval := make_interval(secs => p_channel.debounce_ms / 1000.0);
begin
    with made as (
        insert into thread (account_id, id, agent_id, owner, title, last_seq)
        values (p_account, v_thread, p_agent, 'system:' || p_slug || ':' || p_channel.id, p_channel.name, v_alone::int)),
    known as (
        insert into agent_thread (account_id, channel_id, agent_id, thread_id, trigger_mode, fed_seq)
        values (p_account, p_channel.id, p_agent, v_thread, p_mode, v_alone::int)),
    input as (
        insert into thread_message (account_id, thread_id, seq, id, role, author, parts, message_id, text, created_at)
        select p_account, v_thread, 1, coalesce((p_event -> 'ids' ->> 2)::uuid, new_id()), 'user', p_author,
               jsonb_build_array(jsonb_build_object('kind', 'text', 'text', p_message.content)) || p_message.parts,
               p_message.id, p_message.content, p_message.created_at
        where v_alone),
    entry as (
        insert into queue.pgqueuer (priority, entrypoint, payload, execute_after, status)
        select 0, 'turn', turn_payload_v1(p_account, v_id), now() + v_delay, 'queued' where v_alone
        returning id)
    insert into interaction (account_id, id, agent_id, thread_id, channel_id, message_id, event_id, user_id, parent_id,
                             first_seq, trigger_seq, delivery, reply_to, options, job_id)
    select p_account, v_id, p_agent, v_thread, p_channel.id, p_message.id, (p_event ->> 'id')::uuid,
           (p_event ->> 'user_id')::uuid, (p_event ->> 'parent_interaction_id')::uuid, 1, 1,
           v_delivery, reply_place_v1(p_event, v_delivery), coalesce(p_event -> 'options', '{}'), entry.id
    from entry;
    if not v_alone then
        return start_turn_v1(p_account, v_thread, p_agent,
            feed_thread_v1(p_account, p_channel.id, p_agent, v_thread, p_message.seq, 0), p_event, p_channel);
    end if;
    v_ok := notify_v1(p_account, 'thinking', v_id, p_channel.id);
    return jsonb_build_object('id', v_id, 'agent_id', p_agent, 'state', 'queued', 'coalesced', false);
end $$;

-- One way in. p_event is domain.events.Event as JSON with UUIDs; returns domain.messages.Received as JSON.
-- Few and large statements: what a statement costs here is mostly its start. Ids come from the caller, who makes them
-- for a hundredth of what the server pays; `ids` are three for the first agent's first turn.
create function intake_v1(p_account uuid, p_event jsonb) returns jsonb language plpgsql
set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v_channel channel;
    v_message message;
    v_event uuid := (p_event ->> 'id')::uuid;
    v_user uuid := (p_event ->> 'user_id')::uuid;
    v_author text := p_event ->> 'actor_kind';
    v_member boolean;
    v_wanted text;
    v_root uuid;
    v_agent record;
    v_direct jsonb;
    v_started jsonb := '[]';
begin
    update channel set last_seq = last_seq + 1
    where account_id = p_account and id = (p_event ->> 'channel_id')::uuid returning * into v_channel;
    if not found then
        raise exception 'no such channel' using errcode = 'RT404';
    end if;
    if v_author = 'user' then
        -- whether this person is in here, and how they want to be answered (CHN-14), in one look
        select exists (select from channel_member
                       where account_id = p_account and channel_id = v_channel.id and party_id = v_user),
               (select delivery from channel_personal
                where account_id = p_account and channel_id = v_channel.id and user_id = v_user)
        into v_member, v_wanted;
        if not v_member and (v_channel.kind in ('group', 'private') or not may_enter_v1(p_account, v_channel.id, v_user)) then
            raise exception 'no such channel' using errcode = 'RT404';
        end if;
    end if;
    if v_channel.archived_at is not null then
        raise exception 'this channel is archived' using errcode = 'RT409';
    end if;
    if p_event ->> 'reply_to' is not null then
        -- threads have one level: a reply stands for the message it replies to
        select coalesce(reply_to, id) into v_root from message
        where account_id = p_account and channel_id = v_channel.id and id = (p_event ->> 'reply_to')::uuid
          and (delivery <> 'direct' or v_user in (recipient_id, user_id)) and status in ('sent', 'deleted');
        if not found then
            raise exception 'the message replied to is not in this channel' using errcode = 'RT404';
        end if;
        p_event := p_event || jsonb_build_object('reply_to', v_root);
        -- what is said in a thread is answered there, unless this person wants it for themselves or not at all
        v_wanted := case when v_wanted in ('direct', 'silent') then v_wanted else 'threaded' end;
    end if;
    if v_wanted is not null and p_event ->> 'delivery' is null then
        p_event := p_event || jsonb_build_object('delivery', v_wanted);
    end if;

    with fresh as (
        insert into event (account_id, id, source_type, source_id, actor_kind, actor_id, channel_id, message_id, targets,
                           correlation_id, idempotency_key)
        values (p_account, v_event, p_event ->> 'source_type', p_event ->> 'source_id', v_author,
                coalesce(v_user, (p_event ->> 'agent_id')::uuid), v_channel.id, (p_event ->> 'message_id')::uuid,
                array(select jsonb_array_elements_text(p_event -> 'targets'))::uuid[],
                p_event ->> 'correlation_id', p_event ->> 'idempotency_key')
        on conflict (account_id, source_type, idempotency_key) where idempotency_key is not null do nothing
        returning message_id)
    insert into message (account_id, id, channel_id, seq, author_kind, user_id, agent_id, content, parts, reply_to,
                         delivery, metadata)
    select p_account, fresh.message_id, v_channel.id, v_channel.last_seq, v_author, v_user,
           (p_event ->> 'agent_id')::uuid, p_event ->> 'content', coalesce(p_event -> 'parts', '[]'),
           (p_event ->> 'reply_to')::uuid,
           case when p_event ->> 'reply_to' is null then 'inline' else 'threaded' end,
           coalesce(p_event -> 'metadata', '{}')
    from fresh returning * into v_message;
    if not found then
        return received_v1(p_account, p_event ->> 'source_type', p_event ->> 'idempotency_key');
    end if;

    for v_agent in
        select g.id, g.slug, m.trigger_mode, l.loosest, l.author, x.thread_id, x.fed_seq
        from (
            -- TRG-20: the strictest of organisation, team, user and membership
            select least(mode_rank(a.loosest_trigger_mode), coalesce(mode_rank(t.loosest_trigger_mode), 2),
                         coalesce(mode_rank(u.loosest_trigger_mode), 2)) as loosest, coalesce(u.name, v_author) as author
            from account a left join team t on t.account_id = p_account and t.id = v_channel.team_id
            left join app_user u on u.account_id = p_account and u.id = v_user where a.id = p_account) l
        cross join channel_member m
        join agent g on g.account_id = p_account and g.id = m.agent_id
        left join agent_thread x on x.account_id = p_account and x.channel_id = v_channel.id and x.agent_id = g.id
        where m.account_id = p_account and m.channel_id = v_channel.id and m.agent_id is not null
          and g.status = 'enabled' and g.deployment_state = 'active' and g.deleted_at is null
          and (p_event -> 'targets' ? g.id::text or p_event -> 'mentions' ? g.slug
               -- TRG-05; TRG-09: what an agent says never triggers a proactive agent
               or (v_author <> 'agent' and least(mode_rank(m.trigger_mode), l.loosest) = 2))
          and (v_author <> 'agent' or p_event -> 'targets' ? g.id::text)
        order by g.id
    loop
        -- CON-42: a silent agent that is mentioned answers directly, not in the channel
        v_direct := case when least(mode_rank(v_agent.trigger_mode), v_agent.loosest) = 0
                    then p_event || '{"delivery": "direct"}' else p_event end;
        if v_agent.thread_id is null then
            v_started := v_started || first_turn_v1(p_account, v_direct, v_channel, v_message, v_agent.id, v_agent.slug,
                                                    v_agent.trigger_mode, v_agent.author);
        else
            v_started := v_started || start_turn_v1(p_account, v_agent.thread_id, v_agent.id,
                feed_thread_v1(p_account, v_channel.id, v_agent.id, v_agent.thread_id, v_message.seq, v_agent.fed_seq),
                v_direct, v_channel);
        end if;
        p_event := p_event - 'ids';
    end loop;
    v_ok := notify_v1(p_account, 'channel', v_channel.id, v_channel.id);
    return jsonb_build_object('event_id', v_event, 'message', to_jsonb(v_message), 'interactions', v_started);
end $$;

-- What an event that came before has become (CHN-18).
create function received_v1(p_account uuid, p_source text, p_key text) returns jsonb language sql as $$
    select jsonb_build_object('event_id', e.id, 'duplicate', true,
        'message', (select to_jsonb(m) from message m where m.account_id = p_account and m.id = e.message_id),
        'interactions', coalesce((select jsonb_agg(jsonb_build_object('id', i.id, 'agent_id', i.agent_id, 'state', i.state)
            order by i.id) from interaction i where i.account_id = p_account and i.event_id = e.id), '[]'))
    from event e where e.account_id = p_account and e.source_type = p_source and e.idempotency_key = p_key
$$;

create function journal_v1(p_account uuid, p_interaction uuid) returns jsonb language plpgsql stable as $$
begin
    return (select jsonb_build_object('interaction', to_jsonb(i),
        'steps', coalesce((select jsonb_agg(to_jsonb(s) order by s.seq) from step s
                           where s.account_id = p_account and s.interaction_id = p_interaction), '[]'),
        -- the offset keeps the order out of the look-up: the primary key has it, but reads all waits of the account
        'waits', coalesce((select jsonb_agg(to_jsonb(o.w) order by (o.w).id) from (select w from wait w
                           where w.account_id = p_account and w.interaction_id = p_interaction offset 0) o), '[]'))
    from interaction i where i.account_id = p_account and i.id = p_interaction);
end $$;

create function message_v1(t thread_message) returns jsonb language sql stable as $$
    select jsonb_build_object('thread_id', t.thread_id, 'seq', t.seq, 'role', t.role, 'author', t.author, 'parts', t.parts,
        'interaction_id', t.interaction_id, 'step_seq', t.step_seq, 'message_id', t.message_id)
$$;

-- Take a turn: raises the attempt (the fence), begins the first think step. Returns {status, journal...}.
-- status: claimed; busy (parked behind the running turn of the thread); gone (nothing to do); ended (cancelled here).
create function claim_v1(p_account uuid, p_interaction uuid, p_node uuid, p_job bigint) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v record;
    v_takeover boolean;
    v_claimed jsonb;
begin
    -- locks the thread, then the interaction; the others are read as they were when this began
    select i.state, i.job_id, i.thread_id, i.channel_id, i.user_id, i.agent_id, i.config_hash, i.cancel_requested,
           i.cancel_reason, i.first_seq, t.last_seq, t.late_seq, g.config_hash as current_hash,
           coalesce((i.options ->> 'recent_messages')::int, (g.context ->> 'recent_messages')::int, 30) as recent,
           g.status as agent_status, g.deleted_at is null and g.status = 'enabled' as enabled,
           a.default_model, c.transport
    into v
    from interaction i
    -- keys by scalar queries: a join of these the planner may turn into a walk through the account's rows
    join thread t on t.account_id = p_account
        and t.id = (select thread_id from interaction where account_id = p_account and id = p_interaction)
    join account a on a.id = p_account
    left join agent g on g.account_id = p_account
        and g.id = (select agent_id from interaction where account_id = p_account and id = p_interaction)
    left join channel c on c.account_id = p_account
        and c.id = (select channel_id from interaction where account_id = p_account and id = p_interaction)
    where i.account_id = p_account and i.id = p_interaction
    for update of t, i;
    v_takeover := v.state = 'running';  -- by the same entry, given again: whoever had it is dead, frozen or cut off
    if not found or v.state not in ('queued', 'running') or (v_takeover and v.job_id is distinct from p_job) then
        return '{"status": "gone"}';
    end if;
    if not v_takeover and (v.cancel_requested or v.enabled is not true) then
        return claim_ended_v1(p_account, p_interaction);
    end if;
    with taken as (
        update interaction i set state = 'running', attempt = attempt + 1, node_id = p_node, job_id = p_job,
            config_hash = coalesce(config_hash, v.current_hash), started_at = coalesce(started_at, clock()),
            running_seconds = running_seconds + case when v_takeover
                then greatest(extract(epoch from clock() - running_since), 0) else 0 end,
            running_since = clock(), read_seq = case when v.config_hash is null then v.last_seq else read_seq end
        where i.account_id = p_account and i.id = p_interaction
          and not exists (select from interaction r where r.account_id = p_account and r.thread_id = v.thread_id
                          and r.state = 'running' and r.id <> p_interaction)
        returning *),
    begun as (
        insert into step (account_id, interaction_id, seq, kind, state, attempt, effect, input, started_at)
        select p_account, p_interaction, 1, 'think', 'running', taken.attempt, 'read',
               jsonb_build_object('config_hash', taken.config_hash, 'upto', v.last_seq), clock()
        from taken where v.config_hash is null)
    select jsonb_build_object('status', 'claimed', 'takeover', v_takeover, 'first', v.config_hash is null,
        'interaction', to_jsonb(taken), 'last_seq', v.last_seq, 'late_seq', v.late_seq,
        'default_model', v.default_model, 'transport', v.transport,
        -- what whoever started this set about the agent for themselves
        'personal', (select jsonb_build_object('revision', p.revision, 'preferences', p.preferences,
                                               'overrides', p.overrides)
            from user_agent_config p
            where p.account_id = p_account and p.user_id = v.user_id and p.agent_id = v.agent_id),
        -- the thread's newest messages (THR-10), and at least all since what started this turn; no drafts (THR-25)
        -- the order is asked for inside: before PostgreSQL 16 an aggregate's own leads to no index, and none but the primary
        -- key finds these without reading all of the account's
        'messages', (select coalesce(jsonb_agg(message_v1(o.t)), '[]') from (select t from thread_message t
            where t.account_id = p_account and t.thread_id = v.thread_id
              and t.seq >= least(v.last_seq - v.recent + 1, v.first_seq)
              and coalesce(t.metadata ->> 'status', '') not in ('pending_approval', 'rejected')
              and coalesce((t.metadata ->> 'direct_to')::uuid, v.user_id) is not distinct from v.user_id
            order by t.seq) o))
    into v_claimed from taken;
    if v_claimed is null then  -- another turn of the thread runs: that one will wake this
        update interaction set job_id = null where account_id = p_account and id = p_interaction;
        return '{"status": "busy"}';
    elsif v.config_hash is null then
        return v_claimed || '{"steps": [], "waits": []}';
    end if;
    return v_claimed || journal_v1(p_account, p_interaction);
end $$;

-- A turn that nobody wants any more, or whose agent is not enabled, ends before it begins.
create function claim_ended_v1(p_account uuid, p_interaction uuid) returns jsonb language plpgsql as $$
declare
    v interaction;
    v_status text;
begin
    update interaction set state = 'cancelled', ended_at = clock(),
        stop_reason = case when cancel_requested then coalesce(cancel_reason, 'cancelled') else 'agent_not_enabled' end
    where account_id = p_account and id = p_interaction returning * into v;
    select status into v_status from agent where account_id = p_account and id = v.agent_id;
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, detail)
    values (p_account, new_id(), 'agent_turn', 'agent', v.agent_id::text, v.id,
            jsonb_build_object('state', 'cancelled', 'agent_status', v_status));
    perform wake_thread_v1(p_account, v.thread_id);
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return '{"status": "ended"}';
end $$;

-- Lock an interaction for writing, or refuse: the fence (architecture, idea 6). Takes channel, thread, interaction.
create function hold_v1(p_account uuid, p_interaction uuid, p_attempt int, p_with_thread boolean default false)
returns interaction language plpgsql as $$
declare
    v interaction;
begin
    perform tenant_v1(p_account);
    if p_with_thread then
        select * into v from interaction where account_id = p_account and id = p_interaction;
        if v.channel_id is not null then
            perform 1 from channel where account_id = p_account and id = v.channel_id for no key update;
        end if;
        perform 1 from thread where account_id = p_account and id = v.thread_id for update;
    end if;
    select * into v from interaction where account_id = p_account and id = p_interaction for update;
    if not found or v.attempt <> p_attempt or v.state <> 'running' then
        raise exception 'another node has taken this interaction over' using errcode = 'RT412';
    end if;
    return v;
end $$;

create function append_thread_v1(p_account uuid, p_thread uuid, p_role text, p_author text, p_parts jsonb, p_text text,
                                 p_interaction uuid, p_step int, p_message uuid, p_metadata jsonb default '{}')
returns bigint language plpgsql as $$
declare
    v_seq bigint;
begin
    update thread set last_seq = last_seq + 1, last_active_at = clock()
    where account_id = p_account and id = p_thread returning last_seq into v_seq;
    insert into thread_message (account_id, thread_id, seq, id, role, author, parts, interaction_id, step_seq, message_id,
                                text, metadata)
    values (p_account, p_thread, v_seq, new_id(), p_role, p_author, p_parts, p_interaction, p_step, p_message,
            p_text, p_metadata);
    return v_seq;
end $$;

-- What an agent tells one person directly is in nobody else's context: marked in the thread, left out by tail_v1.
create function direct_v1(v interaction) returns jsonb language sql stable as
$$ select case when v.delivery = 'direct' then jsonb_build_object('direct_to', v.user_id) else '{}' end $$;

-- Record one model response: step, usage, counters, audit. p: {seq, output, model, provider, input_tokens,
-- output_tokens, cost_micro (null: unknown), currency, duration_ms}
create function think_done_v1(p_account uuid, v interaction, p jsonb, p_turns int default 0) returns void language plpgsql as $$
declare
    v_in bigint := coalesce((p ->> 'input_tokens')::bigint, 0);
    v_out bigint := coalesce((p ->> 'output_tokens')::bigint, 0);
    v_cost bigint := (p ->> 'cost_micro')::bigint;
begin
    update step set state = 'success', output = p -> 'output', cost_micro = v_cost, input_tokens = v_in,
        output_tokens = v_out, ended_at = clock()
    where account_id = p_account and interaction_id = v.id and seq = (p ->> 'seq')::int and state = 'running';
    if not found then
        raise exception 'the think step is not running' using errcode = 'RT412';
    end if;
    insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, model, input_tokens,
                             output_tokens, cost_micro, currency)
    values (p_account, new_id(), v.agent_id, v.user_id, v.id, (p ->> 'seq')::int, p ->> 'model', v_in, v_out,
            v_cost, coalesce(p ->> 'currency', 'USD'));
    perform count_usage_v1(p_account, v.agent_id, p_turns, 1, 0, v_in, v_out, v_cost);
end $$;

create function count_usage_v1(p_account uuid, p_agent uuid, p_turns int, p_models int, p_tools int, p_in bigint,
                               p_out bigint, p_cost bigint) returns void language plpgsql as $$
begin
    insert into usage_counter as u (account_id, day, agent_id, shard, interactions, model_calls, tool_calls,
                                    input_tokens, output_tokens, cost_micro, unpriced)
    values (p_account, (clock() at time zone 'utc')::date, p_agent, pg_backend_pid() % 64, p_turns, p_models, p_tools,
            p_in, p_out, coalesce(p_cost, 0), case when p_cost is null then 1 else 0 end)
    on conflict (account_id, day, agent_id, shard) do update set
        interactions = u.interactions + excluded.interactions, model_calls = u.model_calls + excluded.model_calls,
        tool_calls = u.tool_calls + excluded.tool_calls, input_tokens = u.input_tokens + excluded.input_tokens,
        output_tokens = u.output_tokens + excluded.output_tokens, cost_micro = u.cost_micro + excluded.cost_micro,
        unpriced = u.unpriced + excluded.unpriced;
end $$;

-- End a turn with a reply. p: {think: see think_done_v1 or absent, parts, text, seq, reason, author, structured,
-- ids: six fresh ones}
create function finish_v1(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
    v_think jsonb := p -> 'think';
    v_cost bigint := (v_think ->> 'cost_micro')::bigint;
    v_in bigint := coalesce((v_think ->> 'input_tokens')::bigint, 0);
    v_out bigint := coalesce((v_think ->> 'output_tokens')::bigint, 0);
    v_metadata jsonb := coalesce(p -> 'metadata', '{}');
    v_message uuid;
    v_place bigint;
    v_ended record;
    v interaction;
    v_thought int;
    v_next uuid;
begin
    update channel set last_seq = last_seq + 1
    where account_id = p_account and id = (select channel_id from interaction
        where account_id = p_account and id = p_interaction and delivery <> 'silent')
    returning last_seq into v_place;
    if found then
        v_message := (p -> 'ids' ->> 0)::uuid;
    end if;
    with place as (
        update thread set last_seq = last_seq + 1, last_active_at = clock()
        where account_id = p_account
          and id = (select thread_id from interaction where account_id = p_account and id = p_interaction)
        returning last_seq, late_seq)
    update interaction i set state = 'succeeded', ended_at = clock(), reply_message_id = v_message,
        reply = case when i.channel_id is null
            then jsonb_build_object('text', p -> 'text', 'structured', p -> 'structured') end,
        stop_reason = p ->> 'reason', cost_micro = i.cost_micro + coalesce(v_cost, 0),
        unpriced = i.unpriced or (v_think is not null and v_cost is null),
        input_tokens = i.input_tokens + v_in, output_tokens = i.output_tokens + v_out,
        running_seconds = i.running_seconds + greatest(extract(epoch from clock() - i.running_since), 0)
    from place
    -- 'running', in words that no partial index of running turns answers to: the primary key is the way
    where i.account_id = p_account and i.id = p_interaction and i.attempt = p_attempt
      and i.state not in ('queued', 'waiting', 'succeeded', 'failed', 'cancelled')
    returning i as turn, place.last_seq, place.late_seq into v_ended;
    if not found then
        raise exception 'another node has taken this interaction over' using errcode = 'RT412';
    end if;
    v := v_ended.turn;
    with thought as (
        update step set state = 'success', output = v_think -> 'output', cost_micro = v_cost, input_tokens = v_in,
            output_tokens = v_out, ended_at = clock()
        where account_id = p_account and interaction_id = v.id and seq = (v_think ->> 'seq')::int and state = 'running'
        returning seq),
    spent as (
        insert into token_event (account_id, id, agent_id, user_id, interaction_id, step_seq, model, input_tokens,
                                 output_tokens, cost_micro, currency)
        select p_account, (p -> 'ids' ->> 1)::uuid, v.agent_id, v.user_id, v.id, thought.seq, v_think ->> 'model', v_in, v_out, v_cost,
               coalesce(v_think ->> 'currency', 'USD')
        from thought),
    counted as (
        insert into usage_counter as u (account_id, day, agent_id, shard, interactions, model_calls, input_tokens,
                                        output_tokens, cost_micro, unpriced)
        values (p_account, (clock() at time zone 'utc')::date, v.agent_id, pg_backend_pid() % 64, 1,
                (v_think is not null)::int, v_in, v_out, coalesce(v_cost, 0), (v_think is not null and v_cost is null)::int)
        on conflict (account_id, day, agent_id, shard) do update set
            interactions = u.interactions + 1, model_calls = u.model_calls + excluded.model_calls,
            input_tokens = u.input_tokens + excluded.input_tokens,
            output_tokens = u.output_tokens + excluded.output_tokens,
            cost_micro = u.cost_micro + excluded.cost_micro, unpriced = u.unpriced + excluded.unpriced),
    posted as (
        insert into message (account_id, id, channel_id, seq, author_kind, agent_id, content, reply_to, delivery,
                             recipient_id, interaction_id, metadata)
        select p_account, v_message, v.channel_id, v_place, 'agent', v.agent_id, p ->> 'text',
               v.reply_to, v.delivery,
               case when v.delivery = 'direct' then v.user_id end, v.id, v_metadata
        where v_message is not null),
    said as (
        insert into thread_message (account_id, thread_id, seq, id, role, author, parts, interaction_id, step_seq,
                                    message_id, text, metadata)
        values (p_account, v.thread_id, v_ended.last_seq, (p -> 'ids' ->> 2)::uuid, 'assistant', p ->> 'author', p -> 'parts', v.id,
                (p ->> 'seq')::int, v_message, p ->> 'text', v_metadata || direct_v1(v))),
    responded as (
        insert into step (account_id, interaction_id, seq, kind, state, attempt, output, started_at, ended_at)
        values (p_account, v.id, (p ->> 'seq')::int, 'respond', 'success', p_attempt,
                jsonb_build_object('message_id', v_message, 'delivery', v.delivery, 'reason', p -> 'reason'),
                clock(), clock())),
    told as (
        insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
        select p_account, (p -> 'ids' ->> e.place)::uuid, e.event, 'agent', v.agent_id::text, v.id, e.seq, e.detail
        from (values
            (3, 'step.think', (v_think ->> 'seq')::int, v_think - 'output'),
            (4, 'step.respond', (p ->> 'seq')::int, jsonb_build_object('message_id', v_message, 'delivery', v.delivery)),
            (5, 'agent_turn', null, jsonb_build_object('state', 'succeeded', 'config_hash', v.config_hash,
                'reason', p -> 'reason', 'cost_micro', v.cost_micro))) as e (place, event, seq, detail)
        where e.detail is not null)
    select (select count(*) from thought), (select id from interaction where account_id = p_account
            and thread_id = v.thread_id and state = 'queued' and job_id is null limit 1)
    into v_thought, v_next;
    if v_think is not null and v_thought = 0 then
        raise exception 'the think step is not running' using errcode = 'RT412';
    end if;
    -- input that came too late for this turn becomes the next one (coalesce), or wakes the one that waits (queue)
    if v_next is not null or v_ended.late_seq > greatest(v.read_seq, v.trigger_seq) then
        v_next := successor_v1(p_account, v, v_ended.late_seq);
    end if;
    v_ok := v.channel_id is null or notify_v1(p_account, 'channel', v.channel_id, v.channel_id);
    v_ok := notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return jsonb_build_object('message_id', v_message, 'successor_id', v_next);
end $$;

-- After a turn has ended: late input is followed up by a turn that waits and answers in the same place, else by a new one;
-- then the next in line. The caller holds the thread.
create function successor_v1(p_account uuid, v interaction, p_late bigint) returns uuid language plpgsql as $$
declare
    v_id uuid;
begin
    if p_late is null or p_late <= greatest(v.read_seq, v.trigger_seq) then
        return wake_thread_v1(p_account, v.thread_id);
    end if;
    select id into v_id from interaction i
    where account_id = p_account and thread_id = v.thread_id and state in ('queued', 'running') and id <> v.id
      and answers_in_v1(i, v.delivery, v.reply_to, v.user_id, v.parent_id)
    order by trigger_seq, id limit 1;
    if v_id is not null then
        update interaction set successor_id = v_id where account_id = p_account and id = v.id;
        return wake_thread_v1(p_account, v.thread_id);
    end if;
    v_id := new_id();
    insert into interaction (account_id, id, agent_id, thread_id, channel_id, message_id, event_id, user_id, parent_id,
                             depth, first_seq, trigger_seq, delivery, reply_to, options, job_id)
    select p_account, v_id, v.agent_id, v.thread_id, v.channel_id, coalesce(t.message_id, v.message_id), v.event_id,
           coalesce(m.user_id, v.user_id), v.parent_id, v.depth, greatest(v.read_seq, v.trigger_seq) + 1, p_late, v.delivery,
           v.reply_to, v.options, enqueue_turn_v1(p_account, v_id)
    from (select 1) one
    left join thread_message t on t.account_id = p_account and t.thread_id = v.thread_id and t.seq = p_late
    left join message m on m.account_id = p_account and m.id = t.message_id;
    update interaction set successor_id = v_id where account_id = p_account and id = v.id;
    perform notify_v1(p_account, 'thinking', v_id, coalesce(v.channel_id, v.user_id));
    return v_id;
end $$;

-- ── the colder paths ────────────────────────────────────────────────────────────────────────────────────────────

-- The model asked for tools: record the response and create its act steps. p: {think, parts, text, author,
-- calls: [{seq, tool, effect, input}]}
create function calls_v1(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns void
language plpgsql as $$
declare
    v interaction;
begin
    perform defer_flush_v1();
    v := hold_v1(p_account, p_interaction, p_attempt, true);
    perform think_done_v1(p_account, v, p -> 'think');
    perform append_thread_v1(p_account, v.thread_id, 'assistant', p ->> 'author', p -> 'parts', p ->> 'text', v.id,
                             (p #>> '{think,seq}')::int, null, coalesce(p -> 'metadata', '{}') || direct_v1(v));
    insert into step (account_id, interaction_id, seq, kind, state, parent_seq, call_index, tool, effect, input)
    select p_account, v.id, (c.call ->> 'seq')::int, 'act', 'created', (p #>> '{think,seq}')::int, c.place - 1,
           c.call ->> 'tool', c.call ->> 'effect', c.call -> 'input'
    from jsonb_array_elements(p -> 'calls') with ordinality as c (call, place);
    update interaction set cost_micro = cost_micro + coalesce((p #>> '{think,cost_micro}')::bigint, 0),
        unpriced = unpriced or (p #> '{think,cost_micro}') = 'null',
        input_tokens = input_tokens + coalesce((p #>> '{think,input_tokens}')::bigint, 0),
        output_tokens = output_tokens + coalesce((p #>> '{think,output_tokens}')::bigint, 0)
    where account_id = p_account and id = v.id;
    perform audit_v1(p_account, v, 'step.think', (p #>> '{think,seq}')::int, (p -> 'think') - 'output');
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;

create function audit_v1(p_account uuid, v interaction, p_event text, p_step int, p_detail jsonb) returns void
language plpgsql as $$
begin
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
    values (p_account, new_id(), p_event, 'agent', v.agent_id::text, v.id, p_step, p_detail);
end $$;

-- The intent: these act steps are about to run.
create function begin_acts_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seqs int[]) returns void
language plpgsql as $$
declare
    v interaction;
begin
    v := hold_v1(p_account, p_interaction, p_attempt);
    update step set state = 'running', attempt = p_attempt, started_at = coalesce(started_at, clock())
    where account_id = p_account and interaction_id = v.id and seq = any (p_seqs)
      and state in ('created', 'running', 'waiting', 'unknown');
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;

-- The outcome of one act step: step, usage, counters and audit. Runs inside the transaction of a `write` tool's body.
-- p: {seq, ok, output, error, cost_micro, tool, arguments_hash, duration_ms, event}
create function act_done_v1(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns void
language plpgsql as $$
declare
    v interaction;
    v_cost bigint := coalesce((p ->> 'cost_micro')::bigint, 0);
begin
    v := hold_v1(p_account, p_interaction, p_attempt);
    update step set state = case when (p ->> 'ok')::boolean then 'success' else 'failed' end, output = p -> 'output',
        error = p ->> 'error', cost_micro = v_cost, ended_at = clock(), started_at = coalesce(started_at, clock())
    where account_id = p_account and interaction_id = v.id and seq = (p ->> 'seq')::int
      and state not in ('success', 'failed');
    if not found then
        raise exception 'the step has ended' using errcode = 'RT412';
    end if;
    if v_cost > 0 then
        insert into token_event (account_id, id, source, agent_id, user_id, interaction_id, step_seq, tool, cost_micro)
        values (p_account, new_id(), 'tool', v.agent_id, v.user_id, v.id, (p ->> 'seq')::int, p ->> 'tool', v_cost);
        update interaction set cost_micro = cost_micro + v_cost where account_id = p_account and id = v.id;
    end if;
    perform count_usage_v1(p_account, v.agent_id, 0, 0, 1, 0, 0, v_cost);
    perform audit_v1(p_account, v, p ->> 'event', (p ->> 'seq')::int, p - 'output' - 'event' - 'seq');
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;

-- It may or may not have happened: a question to a person, never a guess. p: {seq, tool, arguments_hash, prompt, payload}
create function ask_v1(p_account uuid, p_interaction uuid, p_attempt int, p_kind text, p jsonb) returns jsonb
language plpgsql as $$
declare
    v interaction;
    v_wait wait;
begin
    v := hold_v1(p_account, p_interaction, p_attempt);
    update step set state = case p_kind when 'outcome' then 'unknown' else 'waiting' end
    where account_id = p_account and interaction_id = v.id and seq = (p ->> 'seq')::int;
    insert into wait (account_id, id, kind, interaction_id, step_seq, tool, arguments_hash, prompt, payload, due_at)
    values (p_account, new_id(), p_kind, v.id, (p ->> 'seq')::int, p ->> 'tool', p ->> 'arguments_hash',
            p ->> 'prompt', coalesce(p -> 'payload', '{}'), (p ->> 'due_at')::timestamptz)
    returning * into v_wait;
    perform audit_v1(p_account, v, 'wait.open', (p ->> 'seq')::int,
                     jsonb_build_object('wait_id', v_wait.id, 'kind', p_kind, 'tool', p ->> 'tool'));
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return to_jsonb(v_wait);
end $$;

-- Begin a think step, new or again. Appends the results of the calls before it as one tool message, in the model's
-- order (THR-08, THR-23). Returns the thread's messages after p_known and its last position.
create function think_begin_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_known bigint, p_results jsonb,
                               p_after int) returns jsonb language plpgsql as $$
declare
    v interaction;
    v_last bigint;
    v_late bigint;
begin
    perform defer_flush_v1();
    v := hold_v1(p_account, p_interaction, p_attempt, true);
    if p_results is not null and not exists (select from thread_message where account_id = p_account
            and thread_id = v.thread_id and interaction_id = v.id and role = 'tool' and step_seq = p_after) then
        perform append_thread_v1(p_account, v.thread_id, 'tool', null, p_results, '', v.id, p_after, null, direct_v1(v));
    end if;
    select last_seq, late_seq into v_last, v_late from thread where account_id = p_account and id = v.thread_id;
    insert into step (account_id, interaction_id, seq, kind, state, attempt, effect, input, started_at)
    values (p_account, v.id, p_seq, 'think', 'running', p_attempt, 'read',
            jsonb_build_object('config_hash', v.config_hash, 'upto', v_last), clock())
    on conflict (account_id, interaction_id, seq) do update set state = 'running', attempt = p_attempt,
        input = excluded.input, started_at = clock();
    update interaction set read_seq = v_last where account_id = p_account and id = v.id;
    return jsonb_build_object('last_seq', v_last, 'late_seq', v_late, 'messages', coalesce((select jsonb_agg(message_v1(o.m))
        from (select m from thread_message m where m.account_id = p_account and m.thread_id = v.thread_id and m.seq > p_known
              order by m.seq) o), '[]'));
end $$;

-- Nothing can go on: let go of the thread and of this node until a wait is resolved. False when one already was.
create function suspend_v1(p_account uuid, p_interaction uuid, p_attempt int) returns boolean
language plpgsql as $$
declare
    v interaction;
begin
    v := hold_v1(p_account, p_interaction, p_attempt, true);
    if exists (select from step s where s.account_id = p_account and s.interaction_id = v.id
               and s.state in ('waiting', 'unknown') and not exists (select from wait w
                   where w.account_id = p_account and w.interaction_id = v.id and w.step_seq = s.seq and w.state = 'open')) then
        return false;
    end if;
    update interaction set state = 'waiting', node_id = null, job_id = null,
        running_seconds = running_seconds + greatest(extract(epoch from clock() - running_since), 0)
    where account_id = p_account and id = v.id;
    perform wake_thread_v1(p_account, v.thread_id);
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return true;
end $$;

-- Give the turn back to the queue: a retry after a transient failure (p_retry), or a hand-over to another node.
create function release_v1(p_account uuid, p_interaction uuid, p_attempt int, p_delay interval, p_retry boolean,
                           p_error text, p_detail text) returns void language plpgsql as $$
declare
    v interaction;
begin
    v := hold_v1(p_account, p_interaction, p_attempt, true);
    update interaction set state = 'queued', node_id = null, job_id = enqueue_turn_v1(p_account, v.id, p_delay),
        retries = retries + p_retry::int, error = p_error, error_detail = p_detail,
        running_seconds = running_seconds + greatest(extract(epoch from clock() - running_since), 0)
    where account_id = p_account and id = v.id;
    if p_retry then
        perform audit_v1(p_account, v, 'turn.retry', null, jsonb_build_object('error', p_error, 'retry', v.retries + 1));
    end if;
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;

-- End a turn without a reply. The caller holds the thread and the interaction (v).
create function end_turn_v1(p_account uuid, v interaction, p_state text, p_reason text, p_error text, p_detail text,
                            p_dead boolean) returns void language plpgsql as $$
begin
    update wait set state = 'cancelled', resolved_at = clock()
    where account_id = p_account and interaction_id = v.id and state = 'open';
    update step set state = 'failed', error = coalesce(p_error, p_reason), ended_at = clock()
    where account_id = p_account and interaction_id = v.id and state in ('created', 'running', 'waiting', 'unknown');
    update interaction set state = p_state, stop_reason = p_reason, error = p_error, error_detail = p_detail,
        dead_letter = p_dead, ended_at = clock(), job_id = null, node_id = null,
        running_seconds = running_seconds + case when v.state = 'running'
            then greatest(extract(epoch from clock() - running_since), 0) else 0 end
    where account_id = p_account and id = v.id;
    perform audit_v1(p_account, v, 'agent_turn', null, jsonb_build_object('state', p_state, 'reason', p_reason,
        'error', p_error, 'config_hash', v.config_hash, 'dead_letter', p_dead));
    perform successor_v1(p_account, v, (select late_seq from thread where account_id = p_account and id = v.thread_id));
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;

create function stop_v1(p_account uuid, p_interaction uuid, p_attempt int, p_state text, p_reason text, p_error text,
                        p_detail text, p_dead boolean) returns void language plpgsql as $$
declare
    v interaction;
begin
    v := hold_v1(p_account, p_interaction, p_attempt, true);
    perform end_turn_v1(p_account, v, p_state, coalesce(v.cancel_reason, p_reason), p_error, p_detail, p_dead);
end $$;

-- Lock thread and interaction for an act of a person, in the right order.
create function take_v1(p_account uuid, p_interaction uuid) returns interaction language plpgsql as $$
declare
    v interaction;
begin
    perform tenant_v1(p_account);
    select * into v from interaction where account_id = p_account and id = p_interaction;
    if not found then
        raise exception 'no such interaction' using errcode = 'RT404';
    end if;
    perform 1 from thread where account_id = p_account and id = v.thread_id for update;
    select * into v from interaction where account_id = p_account and id = p_interaction for update;
    return v;
end $$;

-- Stop it, wherever it runs (from any node). Returns the state it is in now.
create function cancel_v1(p_account uuid, p_interaction uuid, p_reason text) returns text language plpgsql as $$
declare
    v interaction := take_v1(p_account, p_interaction);
begin
    if v.state in ('succeeded', 'failed', 'cancelled') then
        return v.state;
    end if;
    update interaction set cancel_requested = true, cancel_reason = p_reason where account_id = p_account and id = v.id;
    if v.state <> 'running' then
        perform end_turn_v1(p_account, v, 'cancelled', p_reason, null, null, false);
        return 'cancelled';
    end if;
    perform notify_v1(p_account, 'cancel', v.id, coalesce(v.channel_id, v.user_id));
    return v.state;
end $$;

-- A turn that no node can take up, for a reason that trying again will not mend.
create function set_aside_v1(p_account uuid, p_interaction uuid, p_error text, p_detail text) returns void
language plpgsql as $$
declare
    v interaction := take_v1(p_account, p_interaction);
begin
    if v.state in ('queued', 'running', 'waiting') then
        perform end_turn_v1(p_account, v, 'failed', p_error, p_error, p_detail, true);
    end if;
end $$;

-- A person tries a failed turn again: a fresh think step, the same thread.
create function retry_v1(p_account uuid, p_interaction uuid) returns void language plpgsql as $$
declare
    v interaction := take_v1(p_account, p_interaction);
    v_last step;
begin
    if v.state <> 'failed' then
        raise exception 'only a failed interaction can be retried, this one is %', v.state using errcode = 'RT409';
    end if;
    select * into v_last from step where account_id = p_account and interaction_id = v.id order by seq desc limit 1;
    if v_last.kind = 'think' and v_last.state = 'failed' then
        insert into step (account_id, interaction_id, seq, kind, state, effect)
        values (p_account, v.id, v_last.seq + 1, 'think', 'created', 'read');
    end if;
    update interaction set state = 'queued', retries = 0, dead_letter = false, error = null, error_detail = null,
        stop_reason = null, cancel_requested = false, ended_at = null, job_id = enqueue_turn_v1(p_account, v.id)
    where account_id = p_account and id = v.id;
    perform notify_v1(p_account, 'thinking', v.id, coalesce(v.channel_id, v.user_id));
end $$;

-- Resolve a wait, once (compare-and-set), and wake its interaction.
create function resolve_wait_v1(p_account uuid, p_wait uuid, p_user uuid, p_resolution jsonb) returns jsonb
language plpgsql as $$
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
    update wait set state = 'resolved', resolution = p_resolution, resolved_by = p_user, resolved_at = clock()
    where account_id = p_account and id = p_wait and state = 'open' returning * into v_wait;
    if not found then
        raise exception 'this has been answered or withdrawn already' using errcode = 'RT409';
    end if;
    insert into audit_event (account_id, id, event, actor_type, actor_id, interaction_id, step_seq, detail)
    values (p_account, new_id(), 'wait.resolved', 'user', p_user::text, v.id, v_wait.step_seq,
            jsonb_build_object('wait_id', p_wait, 'kind', v_wait.kind, 'tool', v_wait.tool));
    if v.state = 'waiting' then
        update interaction set state = 'queued', job_id = enqueue_turn_v1(p_account, v.id)
        where account_id = p_account and id = v.id;
    end if;
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
    return to_jsonb(v_wait);
end $$;

-- A turn in a thread without a channel (group THR): from a prompt, or from a saved message without storing it again.
-- p: {id (event), user_id, prompt, parts, prompt_message_id, author, options, policy}; replay safe by prompt_message_id.
create function thread_turn_v1(p_account uuid, p_thread uuid, p jsonb) returns jsonb language plpgsql as $$
declare
    v_thread thread;
    v_seq bigint;
    v_prompt uuid := (p ->> 'prompt_message_id')::uuid;
    v_known jsonb;
begin
    perform defer_flush_v1();
    perform tenant_v1(p_account);
    select * into v_thread from thread where account_id = p_account and id = p_thread for update;
    if not found then
        raise exception 'no such thread' using errcode = 'RT404';
    end if;
    if v_prompt is not null then
        select jsonb_build_object('id', i.id, 'agent_id', i.agent_id, 'state', i.state, 'coalesced', true) into v_known
        from interaction i where i.account_id = p_account and i.thread_id = p_thread and i.event_id = v_prompt
        order by i.id limit 1;
        if v_known is not null then
            return v_known;
        end if;
        select seq into v_seq from thread_message where account_id = p_account and thread_id = p_thread and id = v_prompt;
    end if;
    if v_seq is null then
        if p ->> 'prompt' is null then
            raise exception 'no such message in this thread' using errcode = 'RT404';
        end if;
        v_prompt := coalesce(v_prompt, (p ->> 'id')::uuid, new_id());
        update thread set last_seq = last_seq + 1, last_active_at = clock()
        where account_id = p_account and id = p_thread returning last_seq into v_seq;
        insert into thread_message (account_id, thread_id, seq, id, role, author, parts, text)
        values (p_account, p_thread, v_seq, v_prompt, 'user', p ->> 'author',
                jsonb_build_array(jsonb_build_object('kind', 'text', 'text', p ->> 'prompt')) || coalesce(p -> 'parts', '[]'),
                p ->> 'prompt');
    end if;
    if not exists (select from agent where account_id = p_account and id = v_thread.agent_id and status = 'enabled'
                   and deleted_at is null) then
        raise exception 'the agent is not enabled' using errcode = 'RT409';
    end if;
    return start_turn_v1(p_account, p_thread, v_thread.agent_id, v_seq, p || jsonb_build_object('id', v_prompt), null);
end $$;

-- ── streaming ───────────────────────────────────────────────────────────────────────────────────────────────────

create function stream_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_kind text, p_data jsonb)
returns void language plpgsql as $$
declare
    v_ok boolean := defer_flush_v1() and tenant_v1(p_account);
begin
    insert into stream_chunk (account_id, interaction_id, attempt, seq, kind, data)
    values (p_account, p_interaction, p_attempt, p_seq, p_kind, p_data) on conflict do nothing;
    v_ok := pg_notify('retinue_live', concat_ws(' ', p_account, 'stream', p_interaction, p_attempt || '.' || p_seq)) is null;
end $$;

-- What a reader of a stream has not seen: chunks after (attempt, seq) of the newest attempt, and the turn's state; with
-- p_whole also its calls and open waits.
create function stream_read_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p_whole boolean) returns jsonb
language plpgsql as $$
declare
    v interaction;
begin
    perform tenant_v1(p_account);
    select * into v from interaction where account_id = p_account and id = p_interaction;
    return jsonb_build_object('state', v.state, 'attempt', v.attempt, 'error', v.error, 'error_detail', v.error_detail,
        'stop_reason', v.stop_reason, 'successor_id', v.successor_id, 'reply_message_id', v.reply_message_id, 'reply', v.reply,
        'steps', case when p_whole then coalesce((select jsonb_agg(jsonb_build_object('seq', s.seq, 'kind', s.kind, 'tool', s.tool, 'state', s.state,
            'error', s.error, 'started_at', s.started_at, 'ended_at', s.ended_at, 'arguments', s.input -> 'arguments',
            'result', s.output -> 'content') order by s.seq)
            from step s where s.account_id = p_account and s.interaction_id = p_interaction and s.kind = 'act'), '[]') end,
        'waits', case when p_whole then coalesce((select jsonb_agg(jsonb_build_object('id', w.id, 'kind', w.kind, 'prompt', w.prompt, 'tool', w.tool,
            'step_seq', w.step_seq) order by w.id) from wait w
            where w.account_id = p_account and w.interaction_id = p_interaction and w.state = 'open'), '[]') end,
        'chunks', coalesce((select jsonb_agg(jsonb_build_object('attempt', c.attempt, 'seq', c.seq, 'kind', c.kind,
            'data', c.data) order by c.attempt, c.seq) from stream_chunk c
            where c.account_id = p_account and c.interaction_id = p_interaction and c.attempt = v.attempt
              and (c.attempt, c.seq) > (p_attempt, p_seq)), '[]'));
end $$;

-- ── nodes: who lives, what the dead leave behind (as retinue_system) ────────────────────────────────────────────

create function node_dead_v1(p_me uuid, p_limit int) returns setof uuid language sql as $$
    -- each node watches its next neighbours in the ring of ids, so that watching costs the same at 1 and 100 nodes
    select n.id from (
        select id, lock_key from node where state <> 'down' and id <> p_me order by id < p_me, id limit p_limit
    ) n where pg_try_advisory_xact_lock_shared(n.lock_key)
$$;

create function node_recover_v1(p_node uuid) returns int language plpgsql as $$
declare
    v_count int;
begin
    perform 1 from node where id = p_node and state <> 'down' for update skip locked;
    if not found then
        return 0;
    end if;
    update node set state = 'down', seen_at = clock() where id = p_node;
    update queue.pgqueuer set status = 'queued', queue_manager_id = null, updated = now(), priority = priority + 1
    where queue_manager_id = p_node and status = 'picked';
    get diagnostics v_count = row_count;
    -- PgQueuer's trigger is per statement and says nothing of updates: without this the entries wait for its next look
    perform pg_notify('ch_pgqueuer', json_build_object('channel', 'ch_pgqueuer', 'operation', 'update', 'sent_at', now(),
        'table', 'pgqueuer', 'type', 'table_changed_event')::text);
    return v_count;
end $$;

-- The backstop: turns that no queue entry stands for, and parked turns that nobody will wake.
create function sweep_v1() returns int language plpgsql as $$
declare
    v record;
    v_count int := 0;
begin
    if not pg_try_advisory_xact_lock(7305612) then
        return 0;
    end if;
    for v in
        select i.account_id, i.id from interaction i
        where i.state in ('queued', 'running') and i.created_at < clock() - interval '5 seconds'
          and case when i.job_id is null
              then i.state = 'queued' and not exists (select from interaction o where o.account_id = i.account_id
                   and o.thread_id = i.thread_id and o.id <> i.id
                   and (o.state = 'running' or (o.state = 'queued' and o.job_id is not null)))
              else not exists (select from queue.pgqueuer q where q.id = i.job_id) end
        order by i.id limit 1000 for update of i skip locked
    loop
        update interaction set job_id = enqueue_turn_v1(v.account_id, v.id)
        where account_id = v.account_id and id = v.id;
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;
