-- Who may ask an agent, and what the operator may look at to see that nothing is outside the rules.

-- Whether an agent is assigned to a person in a place: themselves, the place's team, or everyone (LIFE-07). In no team's
-- place all of the person's teams count. The same rule as in policy_book_v1 (a test holds the two together).
create function assigned_v1(p_account uuid, p_agent uuid, p_user uuid, p_team uuid) returns boolean
language plpgsql stable as $$
begin
    perform from agent_assignment s where s.account_id = p_account and s.agent_id = p_agent
        and (s.scope = 'account' or s.scope_id = p_user or case when p_team is not null then s.scope_id = p_team
             else exists (select from member m where m.account_id = p_account and m.user_id = p_user
                          and m.team_id = s.scope_id) end);
    return found;
end $$;

-- For the check at start (REG-10): names of agents and tools, never what agents are told or people say.
grant select (account_id, id, slug, trust_level, origin, deleted_at) on agent to retinue_system;
grant select (account_id, agent_id, tool, enabled) on agent_tool to retinue_system;
grant select (account_id, slug, enabled, trust_level_required) on tool to retinue_system;
grant select (account_id, agent_id, role_id) on agent_registry to retinue_system;
grant select (account_id, agent_id, tool_restrictions) on agent_assignment to retinue_system;
grant select (account_id, id, name, scope) on worker_role to retinue_system;
