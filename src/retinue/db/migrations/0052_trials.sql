-- Trying a draft of an agent: turns run under one hidden agent of the account, each on a snapshot of its own.

alter table agent drop constraint agent_origin_check;
alter table agent add constraint agent_origin_check check (origin in ('built_in', 'custom', 'installed', 'trial'));
create unique index agent_trial on agent (account_id) where origin = 'trial';

-- The hidden agent, made at the first trial. It is in no channel, so that nothing but a trial starts its turns.
create function trial_agent_v1(p_account uuid) returns uuid language plpgsql as $$
declare
    v_id uuid;
begin
    select id into v_id from agent where account_id = p_account and origin = 'trial';
    if not found then
        insert into agent (account_id, id, slug, name, origin, deployment_state)
        values (p_account, new_id(), 'trial-' || substr(md5(random()::text), 1, 12), 'Trial', 'trial', 'testing')
        on conflict (account_id) where origin = 'trial' do nothing;
        select id into v_id from agent where account_id = p_account and origin = 'trial';
    end if;
    return v_id;
end $$;

-- A configuration that nobody saved, kept like any other: the journal of a trial can always be read.
create function trial_snapshot_v1(p_account uuid, p_agent uuid, p_content jsonb) returns text language plpgsql as $$
declare
    v_hash text := encode(sha256(convert_to(p_content::text, 'utf8')), 'hex');
begin
    insert into config_snapshot (account_id, hash, agent_id, content) values (p_account, v_hash, p_agent, p_content)
    on conflict do nothing;
    return v_hash;
end $$;
