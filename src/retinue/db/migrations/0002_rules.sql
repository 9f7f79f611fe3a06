-- What the database itself refuses: arrows that the state machines do not have, changes to audit, other tenants.

create function refuse_arrow() returns trigger language plpgsql as $$
declare
    arrows jsonb := tg_argv[0]::jsonb;
begin
    if old.state is distinct from new.state and not coalesce(arrows -> old.state ? new.state, false) then
        raise exception '% cannot go from % to %', tg_table_name, old.state, new.state using errcode = 'RT409';
    end if;
    return new;
end $$;

create trigger interaction_arrows before update of state on interaction for each row when (old.state <> new.state)
execute function refuse_arrow('{"queued": ["running", "cancelled", "failed"],
    "running": ["waiting", "queued", "succeeded", "failed", "cancelled"],
    "waiting": ["queued", "cancelled", "failed"], "failed": ["queued"]}');

create trigger step_arrows before update of state on step for each row when (old.state <> new.state)
execute function refuse_arrow('{"created": ["running", "waiting", "failed"],
    "running": ["success", "failed", "waiting", "unknown", "created"],
    "waiting": ["running", "success", "failed"], "unknown": ["running", "success", "failed"]}');

create trigger wait_arrows before update of state on wait for each row when (old.state <> new.state)
execute function refuse_arrow('{"open": ["resolved", "expired", "cancelled"]}');

create function refuse_message_arrow() returns trigger language plpgsql as $$
begin
    if not ((old.status = 'pending_approval' and new.status in ('sent', 'rejected')) or
            (old.status = 'sent' and new.status = 'deleted')) then
        raise exception 'message cannot go from % to %', old.status, new.status using errcode = 'RT409';
    end if;
    return new;
end $$;
create trigger message_arrows before update of status on message for each row when (old.status <> new.status)
execute function refuse_message_arrow();

create function refuse_change() returns trigger language plpgsql as
$$ begin raise exception 'audit lines are never changed' using errcode = 'RT403'; end $$;
create trigger audit_immutable before update or delete on audit_event for each row execute function refuse_change();

-- ── the configuration a turn runs on: an immutable snapshot, made whenever the agent or its tools change ────────

create function agent_snapshot_v1(p_account uuid, p_agent uuid) returns text language plpgsql as $$
declare
    v_content jsonb;
    v_hash text;
begin
    select jsonb_build_object(
        'id', a.id, 'slug', a.slug, 'name', a.name, 'execution', a.execution, 'system_prompt', a.system_prompt,
        'endpoint', a.endpoint, 'model', a.model, 'trust_level', a.trust_level, 'capability_level', a.capability_level,
        'limits', a.limits, 'context', a.context, 'delegation_set', to_jsonb(a.delegation_set),
        'max_delegation_depth', a.max_delegation_depth,
        'tools', coalesce((select jsonb_agg(jsonb_build_object('tool', t.tool, 'enabled', t.enabled, 'config', t.config)
                                            order by t.tool)
                           from agent_tool t where t.account_id = p_account and t.agent_id = p_agent), '[]'))
    into v_content from agent a where a.account_id = p_account and a.id = p_agent;
    if v_content is null then
        return null;
    end if;
    v_hash := encode(sha256(convert_to(v_content::text, 'utf8')), 'hex');
    insert into config_snapshot (account_id, hash, agent_id, content)
    values (p_account, v_hash, p_agent, v_content) on conflict do nothing;
    update agent set config_hash = v_hash
    where account_id = p_account and id = p_agent and config_hash is distinct from v_hash;
    return v_hash;
end $$;

create function agent_changed() returns trigger language plpgsql as
$$ begin perform agent_snapshot_v1(new.account_id, new.id); return null; end $$;
create trigger agent_snapshot_insert after insert on agent for each row execute function agent_changed();
create trigger agent_snapshot_update after update on agent for each row
when (old.config_hash = new.config_hash) execute function agent_changed();

create function agent_tool_changed() returns trigger language plpgsql as $$
begin
    perform agent_snapshot_v1(coalesce(new.account_id, old.account_id), coalesce(new.agent_id, old.agent_id));
    return null;
end $$;
create trigger agent_tool_snapshot after insert or update or delete on agent_tool
for each row execute function agent_tool_changed();

-- ── tenancy: row-level security, forced, on every table that has an account_id ──────────────────────────────────
-- retinue_app sees one account at a time; retinue_system sees all rows of the few tables it is granted.

create function secure_table_v1(t text) returns void language plpgsql as $$
declare
    k text := case t when 'account' then 'id' else 'account_id' end;
begin
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy tenant on %I to retinue_app using (%I = current_account()) with check (%I = current_account())', t, k, k);
    execute format('create policy system on %I to retinue_system using (true) with check (true)', t);
    execute format('create policy owner on %I to current_user using (true) with check (true)', t);
    execute format('grant select, insert, update, delete on %I to retinue_app', t);
end $$;
revoke execute on function secure_table_v1 from public;

select secure_table_v1(c.relname)
from pg_class c where c.relnamespace = 'retinue'::regnamespace and c.relkind = 'r'
    and (c.relname = 'account' or exists (select from pg_attribute a
         where a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped));

grant usage on schema retinue, queue to retinue_app, retinue_system;
grant select on node, agent_catalog, migration to retinue_app;
revoke update, delete on audit_event from retinue_app;
revoke insert, delete on account from retinue_app;
revoke update, delete on config_snapshot from retinue_app;

-- the system role: finding who signs in, keeping nodes and queue, pruning; never content
grant select on app_user, account, member, agent_catalog, migration to retinue_system;
grant select, insert, update, delete on node to retinue_system;
grant insert, update on account, agent_catalog to retinue_system;
grant select, update on interaction to retinue_system;
grant select on wait, channel to retinue_system;
grant select, delete on stream_chunk, idempotency, session, sign_in_link to retinue_system;
grant insert on audit_event to retinue_system;
grant select on step, token_event to retinue_system;

grant select, insert, update, delete on all tables in schema queue to retinue_app, retinue_system;
grant usage on all sequences in schema queue to retinue_app, retinue_system;
