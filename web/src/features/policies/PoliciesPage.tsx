/** The policies one may write, place by place: what each means, whether it is in force. */
import { Switch, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";

import { ApiError } from "@/api/client";
import { useMe } from "@/api/me";
import { usePolicies, useUpdatePolicy, type Policy } from "@/api/policies";
import { isAdmin } from "@/lib/roles";
import { offerUndo } from "@/ui/ConfirmUndo";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { LinkAnchor, LinkButton } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";
import { PageHeader } from "@/ui/PageHeader";

import { Governance } from "./Governance";
import { inPlace, type Place } from "./places";
import classes from "./PoliciesPage.module.css";
import { useNames } from "./useNames";
import { usePlaces } from "./usePlaces";
import { meaning, type Names, TYPES } from "./words";

const MANY = 10;

export default function PoliciesPage() {
  const me = useMe().data;
  const policies = usePolicies();
  const places = usePlaces();
  const names = useNames();
  const [query, setQuery] = useState("");
  const admin = isAdmin(me);
  const all = policies.data;
  const shown = useMemo(() => found(all ?? [], query, names), [all, query, names]);
  const failed = policies.isError && !all ? policies : places.isError && !places.data ? places : null;
  return (
    <div className={classes.page}>
      <PageHeader title="Policies" note="What agents may do. Each layer can only be stricter than those above it.">
        <LinkAnchor to="/policies/explain" className={classes.back} visibleFrom="sm">Explain a call</LinkAnchor>
        {admin ? <LinkAnchor to="/audit" className={classes.back} visibleFrom="sm">Audit</LinkAnchor> : null}
        <LinkButton to="/policies/new" leftSection={<IconPlus size={16} stroke={1.5} />} px="sm">New policy</LinkButton>
      </PageHeader>
      <div className={classes.scroll}>
        <div className={classes.content}>
          <LinkAnchor to="/policies/explain" className={classes.phone} hiddenFrom="sm">Explain a call</LinkAnchor>
          {failed ? (
            <ErrorState error={failed.error} retry={() => void failed.refetch()} what="the policies" />
          ) : !all || !places.data ? (
            <ListSkeleton rows={8} height={56} label="Loading the policies" />
          ) : (
            <>
              {all.length > MANY ? <Find query={query} onChange={setQuery} /> : null}
              {query && shown.length === 0 ? <EmptyState title={`No policy matches “${query.trim()}”.`} /> : null}
              {placesWith(places.data, all, shown, query).map((place) => (
                <Section key={place.key} place={place} policies={inPlace(shown, place)} names={names} quiet={query !== ""} />
              ))}
              {admin && !query ? <Governance /> : null}
            </>
          )}
        </div>
      </div>
    </div>
  ); // prettier-ignore
}

/** Teams that have none are left out for admins of many: a new policy says where it is to stand. */
function placesWith(places: readonly Place[], all: readonly Policy[], shown: readonly Policy[], query: string): Place[] {
  if (query) return places.filter((place) => inPlace(shown, place).length > 0);
  const teams = places.filter(({ layer }) => layer === "team").length;
  return places.filter((place) => place.layer !== "team" || teams <= 3 || inPlace(all, place).length > 0);
}

function found(policies: readonly Policy[], query: string, names: Names): Policy[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [...policies];
  return policies.filter((policy) =>
    `${policy.name} ${TYPES[policy.type].label} ${meaning(policy, names)}`.toLowerCase().includes(wanted),
  );
}

function Find({ query, onChange }: { query: string; onChange: (query: string) => void }) {
  return (
    <TextInput
      type="search"
      aria-label="Find policies"
      placeholder="Find policies"
      leftSection={<IconSearch size={16} stroke={1.5} />}
      value={query}
      onChange={(event) => onChange(event.currentTarget.value)}
      maw={320}
    />
  );
}

interface SectionProps {
  place: Place;
  policies: readonly Policy[];
  names: Names;
  quiet: boolean;
}

function Section({ place, policies, names, quiet }: SectionProps) {
  const search = { layer: place.layer, ...(place.team_id ? { team: place.team_id } : {}) };
  return (
    <section className={classes.section} aria-label={place.title}>
      <div>
        <h2 className={classes.heading}>{place.title}</h2>
        {quiet ? null : <p className={classes.help}>{place.help}</p>}
      </div>
      {policies.length === 0 ? (
        <p className={classes.none}>
          {NONE[place.layer]} <Link to="/policies/new" search={search}>Write one</Link>
        </p>
      ) : (
        <ul className={classes.list}>
          {policies.map((policy) => (
            <Row key={policy.id} policy={policy} names={names} />
          ))}
        </ul>
      )}
    </section>
  ); // prettier-ignore
}

const NONE: Record<Policy["layer"], string> = {
  account: "Agents' own settings say what they may do.",
  team: "Nothing beyond what holds for everyone.",
  user: "Nothing beyond what holds for everyone.",
};

function Row({ policy, names }: { policy: Policy; names: Names }) {
  const toggle = useToggle();
  return (
    <li className={classes.row} data-off={!policy.enabled || undefined} data-broken={policy.rule === null || undefined}>
      <div className={classes.what}>
        <Link to="/policies/$policyId" params={{ policyId: policy.id }} className={classes.name}>{policy.name}</Link>
        <div className={classes.means}>{meaning(policy, names)}</div>
      </div>
      <span className={classes.type}>{TYPES[policy.type].label}</span>
      <Switch
        aria-label={`${policy.name} is in force`}
        checked={policy.enabled}
        disabled={toggle.busy}
        onChange={(event) => toggle.set(policy, event.currentTarget.checked)}
      />
    </li>
  ); // prettier-ignore
}

function useToggle() {
  const { mutate, isPending } = useUpdatePolicy();
  function set(policy: Policy, enabled: boolean): void {
    mutate(
      { id: policy.id, change: { enabled, version: policy.version } },
      {
        onSuccess: ({ version }) => {
          if (enabled) return;
          const undo = () => mutate({ id: policy.id, change: { enabled: true, version } }, { onError: (error) => failed(policy, error) });
          offerUndo({ message: `“${policy.name}” is switched off.`, undo });
        },
        onError: (error) => failed(policy, error),
      },
    );
  }
  return { set, busy: isPending };
}

function failed(policy: Policy, error: unknown): void {
  const loosens = error instanceof ApiError && error.code === "loosens";
  notifyError(error, loosens ? `“${policy.name}” stays off` : `Couldn't change “${policy.name}”`);
}
