-- Every call of a tool that was made is one event of usage, free or not, so that usage by tool is all of it; calls that
-- were refused are no usage.
create or replace function act_done_v1(p_account uuid, p_interaction uuid, p_attempt int, p jsonb) returns void
language plpgsql as $$
declare
    v interaction;
    v_cost bigint := coalesce((p ->> 'cost_micro')::bigint, 0);
    v_made boolean := p ->> 'event' = 'tool.call';
begin
    v := hold_v1(p_account, p_interaction, p_attempt);
    update step set state = case when (p ->> 'ok')::boolean then 'success' else 'failed' end, output = p -> 'output',
        error = p ->> 'error', cost_micro = v_cost, ended_at = clock(), started_at = coalesce(started_at, clock())
    where account_id = p_account and interaction_id = v.id and seq = (p ->> 'seq')::int
      and state not in ('success', 'failed');
    if not found then
        raise exception 'the step has ended' using errcode = 'RT412';
    end if;
    if v_made or v_cost > 0 then
        insert into token_event (account_id, id, source, agent_id, user_id, interaction_id, step_seq, tool, cost_micro)
        values (p_account, new_id(), 'tool', v.agent_id, v.user_id, v.id, (p ->> 'seq')::int, p ->> 'tool', v_cost);
    end if;
    if v_cost > 0 then
        update interaction set cost_micro = cost_micro + v_cost where account_id = p_account and id = v.id;
    end if;
    perform count_usage_v1(p_account, v.agent_id, 0, 0, v_made::int, 0, 0, v_cost);
    perform audit_v1(p_account, v, p ->> 'event', (p ->> 'seq')::int, p - 'output' - 'event' - 'seq');
    perform notify_v1(p_account, 'interaction', v.id, coalesce(v.channel_id, v.user_id));
end $$;
