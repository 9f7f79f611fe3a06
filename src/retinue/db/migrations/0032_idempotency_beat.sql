-- A first request may take longer than a minute (Prefer: wait): as long as its node says that it lives, nobody takes
-- over. created_at stays the fence.

alter table idempotency add column seen_at timestamptz not null default clock();

create or replace function claim_idempotency_v1(p_account uuid, p_principal text, p_key text, p_hash bytea)
returns jsonb language plpgsql as $$
declare
    v_at timestamptz;
    v idempotency;
begin
    perform tenant_v1(p_account);
    insert into idempotency (account_id, principal, key, request_hash)
    values (p_account, p_principal, p_key, p_hash)
    on conflict (account_id, principal, key) do update set created_at = clock(), seen_at = clock()
    where idempotency.status is null and idempotency.seen_at < clock() - interval '60 seconds'
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

create function beat_idempotency_v1(p_account uuid, p_principal text, p_key text, p_claimed_at timestamptz)
returns boolean language plpgsql as $$
begin
    perform tenant_v1(p_account);
    update idempotency set seen_at = clock()
    where account_id = p_account and principal = p_principal and key = p_key
      and status is null and created_at = p_claimed_at;
    return found;
end $$;
