-- A policy may hold agents to mentions, or to silence (GOV-09). What may set an agent off is looked at for every message,
-- from one column of account, team and person; so that column is kept the strictest of what was set there and of the
-- policies of that layer, and what was set is kept beside it.

alter table account add column set_trigger_mode text check (set_trigger_mode in ('silent', 'mention', 'proactive'));
alter table team add column set_trigger_mode text check (set_trigger_mode in ('silent', 'mention', 'proactive'));
alter table app_user add column set_trigger_mode text check (set_trigger_mode in ('silent', 'mention', 'proactive'));
update account set set_trigger_mode = loosest_trigger_mode;
update team set set_trigger_mode = loosest_trigger_mode;
update app_user set set_trigger_mode = loosest_trigger_mode;

create function strictest_mode_v1(p_set text, p_account uuid, p_layer text, p_team uuid, p_user uuid) returns text
language plpgsql stable as $$
begin
    return (select mode from (
        select p_set as mode
        union all
        select p.rule ->> 'loosest' from policy p where p.account_id = p_account and p.layer = p_layer and p.enabled
            and p.type = 'trigger_mode_restriction' and p.team_id is not distinct from p_team
            and p.user_id is not distinct from p_user) m
        order by coalesce(mode_rank(mode), 0) limit 1);
end $$;

-- Whoever writes the column sets what is to hold but for the policies.
create function trigger_mode_set() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then  -- no policy speaks of it yet
        new.set_trigger_mode := new.loosest_trigger_mode;
        return new;
    elsif new.loosest_trigger_mode is distinct from old.loosest_trigger_mode then
        new.set_trigger_mode := new.loosest_trigger_mode;
    end if;
    new.loosest_trigger_mode := case tg_table_name
        when 'account' then strictest_mode_v1(new.set_trigger_mode, new.id, 'account', null, null)
        when 'team' then strictest_mode_v1(new.set_trigger_mode, (to_jsonb(new) ->> 'account_id')::uuid, 'team', new.id, null)
        else strictest_mode_v1(new.set_trigger_mode, (to_jsonb(new) ->> 'account_id')::uuid, 'user', null, new.id) end;
    return new;
end $$;
create trigger trigger_mode_set before insert or update of loosest_trigger_mode, set_trigger_mode on account
for each row execute function trigger_mode_set();
create trigger trigger_mode_set before insert or update of loosest_trigger_mode, set_trigger_mode on team
for each row execute function trigger_mode_set();
create trigger trigger_mode_set before insert or update of loosest_trigger_mode, set_trigger_mode on app_user
for each row execute function trigger_mode_set();

-- And whoever writes such a policy has the column looked at anew.
create function trigger_policy_changed() returns trigger language plpgsql as $$
declare
    v policy := case when tg_op = 'DELETE' then old else new end;
begin
    if 'trigger_mode_restriction' in (v.type, old.type) then
        update account set set_trigger_mode = set_trigger_mode where v.layer = 'account' and id = v.account_id;
        update team set set_trigger_mode = set_trigger_mode where account_id = v.account_id and id = v.team_id;
        update app_user set set_trigger_mode = set_trigger_mode where account_id = v.account_id and id = v.user_id;
    end if;
    return null;
end $$;
create trigger policy_trigger_mode after insert or update or delete on policy
for each row execute function trigger_policy_changed();
