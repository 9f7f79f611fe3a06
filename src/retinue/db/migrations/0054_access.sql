-- Whoever comes to an account or a team, leaves it, changes role there or is suspended sees other things from then on:
-- news to that person's live feeds, which look again at what they may tell.

create function access_changed() returns trigger language plpgsql as $$
begin
    perform notify_v1(coalesce(new.account_id, old.account_id), 'access', u.id, u.id)
    from (select distinct unnest(array[old.user_id, new.user_id]) as id) u where u.id is not null;
    return null;
end $$;
create trigger member_access after insert or update or delete on member for each row execute function access_changed();

create function user_access_changed() returns trigger language plpgsql as $$
begin
    perform notify_v1(new.account_id, 'access', new.id, new.id);
    return null;
end $$;
create trigger app_user_access after update of status on app_user for each row when (old.status <> new.status)
execute function user_access_changed();
