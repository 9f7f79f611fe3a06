-- A POST with an Idempotency-Key: claimed before it runs, its answer kept after. One round trip each.
-- status null: the first request is under way; after a minute it counts as crashed and a retry takes over, fenced by
-- created_at. The answer is sealed with the caller's own credential, since it may hold a secret that is shown once.

create function claim_idempotency_v1(p_account uuid, p_principal text, p_key text, p_hash bytea)
returns jsonb language plpgsql as $$
declare
    v_at timestamptz;
    v idempotency;
begin
    perform tenant_v1(p_account);
    insert into idempotency (account_id, principal, key, request_hash)
    values (p_account, p_principal, p_key, p_hash)
    on conflict (account_id, principal, key) do update set created_at = clock()
    where idempotency.status is null and idempotency.created_at < clock() - interval '60 seconds'
      and idempotency.request_hash = excluded.request_hash
    returning created_at into v_at;
    if v_at is not null then
        return jsonb_build_object('state', 'mine', 'claimed_at', v_at);
    end if;
    select * into v from idempotency where account_id = p_account and principal = p_principal and key = p_key;
    if v.key is null then  -- released since: the caller tries again
        return jsonb_build_object('state', 'busy');
    elsif v.request_hash <> p_hash then
        return jsonb_build_object('state', 'mismatch');
    elsif v.status is null then
        return jsonb_build_object('state', 'busy');
    end if;
    return jsonb_build_object('state', 'done', 'status', v.status, 'response', v.response);
end $$;

create function finish_idempotency_v1(p_account uuid, p_principal text, p_key text, p_claimed_at timestamptz,
                                      p_status int, p_response jsonb) returns boolean language plpgsql as $$
begin
    perform tenant_v1(p_account);
    if p_status is null then
        delete from idempotency where account_id = p_account and principal = p_principal and key = p_key
            and status is null and created_at = p_claimed_at;
    else
        update idempotency set status = p_status, response = p_response
        where account_id = p_account and principal = p_principal and key = p_key
          and status is null and created_at = p_claimed_at;
    end if;
    return found;
end $$;
