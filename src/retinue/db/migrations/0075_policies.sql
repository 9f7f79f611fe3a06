-- Who removed a policy is who acts, not who changed it last; nobody, where it goes with its team or its person.
create or replace function policy_kept() returns trigger language plpgsql as $$
declare
    v policy := case when tg_op = 'DELETE' then old else new end;
    v_by uuid := case when tg_op = 'DELETE' then nullif(current_setting('retinue.acting_user', true), '')::uuid
                      else v.changed_by end;
begin
    insert into policy_version (account_id, policy_id, version, content, deleted, changed_by)
    select v.account_id, v.id, v.version + (tg_op = 'DELETE')::int,
           to_jsonb(v) - 'created_at' - 'updated_at' - 'changed_by', tg_op = 'DELETE', v_by
    where exists (select from account where id = v.account_id);  -- not while the account itself goes
    return null;
end $$;
