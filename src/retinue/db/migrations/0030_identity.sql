-- Who is calling: one call, one round trip, each an indexed read inside the tenant that the token names.
-- A key's last use is written at most once a minute.

create function caller_of_key_v1(p_account uuid, p_hash bytea) returns jsonb language plpgsql as $$
declare
    v record;
begin
    perform tenant_v1(p_account);
    select k.id, k.token_hash, k.user_id, k.scopes, k.expires_at, k.last_used_at, m.role into v
    from api_key k
    join app_user u on u.account_id = p_account and u.id = k.user_id and u.status = 'active'
    join member m on m.account_id = p_account and m.user_id = k.user_id and m.team_id is null
    where k.account_id = p_account and k.token_hash = p_hash and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > clock());
    if v.id is null then
        return null;
    end if;
    if v.last_used_at is null or v.last_used_at < clock() - interval '1 minute' then
        update api_key set last_used_at = clock()
        where account_id = p_account and id = v.id
          and (last_used_at is null or last_used_at < clock() - interval '1 minute');
    end if;
    return jsonb_build_object('key_id', v.id, 'hash', encode(v.token_hash, 'hex'), 'user_id', v.user_id,
                              'scopes', to_jsonb(v.scopes), 'role', v.role, 'expires_at', v.expires_at);
end $$;

create function caller_of_session_v1(p_account uuid, p_hash bytea) returns jsonb language plpgsql as $$
declare
    v jsonb;
begin
    perform tenant_v1(p_account);
    select jsonb_build_object('session_id', s.id, 'hash', encode(s.token_hash, 'hex'), 'user_id', s.user_id,
                              'role', m.role, 'expires_at', s.expires_at) into v
    from session s
    join app_user u on u.account_id = p_account and u.id = s.user_id and u.status = 'active'
    join member m on m.account_id = p_account and m.user_id = s.user_id and m.team_id is null
    where s.account_id = p_account and s.token_hash = p_hash and s.revoked_at is null and s.expires_at > clock();
    return v;
end $$;

-- Someone signs in at the identity provider before we know the account: found across tenants by the system role.
create index app_user_subject on app_user (oidc_issuer, oidc_subject) where oidc_subject is not null;
-- An installation's first account is made by the system role; the rest of it inside the tenant.
