-- What the rules made of what a model would have said: on its step, and in the record (GOV-11). The step is still
-- running: its outcome is written with the reply, or with the calls, right after.
create function said_v1(p_account uuid, p_interaction uuid, p_attempt int, p_seq int, p jsonb) returns void
language plpgsql as $$
declare
    v interaction := hold_v1(p_account, p_interaction, p_attempt);
begin
    update step set policy = p -> 'policy'
    where account_id = p_account and interaction_id = v.id and seq = p_seq and state = 'running';
    if not found then
        raise exception 'the think step is not running' using errcode = 'RT412';
    end if;
    if p ->> 'event' is not null then
        perform audit_v1(p_account, v, p ->> 'event', p_seq, jsonb_build_object('reason', p -> 'reason',
            'verdict', p -> 'policy' -> 'verdict', 'layers', p -> 'layers', 'model', p -> 'model'));
    end if;
end $$;
