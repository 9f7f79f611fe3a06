-- What lists and searches of content ask for.

-- The channels a user may read: the same rule as may_enter_v1, as a set (a test holds the two together).
create function readable_channels_v1(p_account uuid, p_user uuid) returns setof uuid language sql stable as $$
    select m.channel_id from channel_member m where m.account_id = p_account and m.user_id = p_user
    union
    select c.id from channel c where c.account_id = p_account and c.kind = 'organisation'
        and exists (select from member m where m.account_id = p_account and m.user_id = p_user and m.team_id is null)
    union
    select c.id from channel c join member m on m.account_id = c.account_id and m.team_id = c.team_id
    where c.account_id = p_account and c.kind = 'team' and m.user_id = p_user
$$;

-- Of a channel's people: who owns it, or administers the account.
create function owns_channel_v1(p_account uuid, p_channel uuid, p_user uuid) returns boolean language sql stable as $$
    select exists (select from channel_member m where m.account_id = p_account and m.channel_id = p_channel
                   and m.party_id = p_user and m.role = 'owner')
        or exists (select from member m where m.account_id = p_account and m.user_id = p_user and m.team_id is null
                   and m.role in ('owner', 'admin'))
        or exists (select from channel c join member m on m.account_id = c.account_id and m.team_id = c.team_id
                   where c.account_id = p_account and c.id = p_channel and c.kind = 'team'
                     and m.user_id = p_user and m.role = 'lead')
$$;
