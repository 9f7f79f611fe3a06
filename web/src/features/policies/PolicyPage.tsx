/** One policy: to be written where one may, else to be read; and a new one. What fills the form is fixed when it opens. */
import { Button } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { ApiError } from "@/api/client";
import { usePolicy, usePolicyVersions, useRestorePolicy, type Policy } from "@/api/policies";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorState } from "@/ui/ErrorState";
import { Fact } from "@/ui/Fact";
import { LinkAnchor } from "@/ui/links";
import { ListSkeleton } from "@/ui/ListSkeleton";
import { notifyError } from "@/ui/notify";
import { PageHeader } from "@/ui/PageHeader";
import { TimeAgo } from "@/ui/TimeAgo";

import { Versions } from "./History";
import { type Place, stands } from "./places";
import classes from "./PolicyForm.module.css";
import { type History, PolicyForm, searchOf } from "./PolicyForm";
import { useNames } from "./useNames";
import { usePlaces } from "./usePlaces";
import { meaning, placeWords, RULE_TYPES, TYPES } from "./words";

export default function PolicyPage() {
  const { policyId = "" } = useParams({ strict: false });
  return policyId ? <Known key={policyId} id={policyId} /> : <New />;
}

// ── a new one ──────────────────────────────────────────────────────────────────────────────────────────────────────

function New() {
  const { layer, team, type } = useSearch({ strict: false });
  const places = usePlaces();
  const kind = RULE_TYPES.find((one) => one === type);
  if (!places.data) return <Waiting title="New policy" query={places} />;
  const wanted = places.data.find((one) => one.layer === layer && one.team_id === (team ?? null));
  const place = wanted ?? places.data[0];
  if (!place) return null;
  if (!kind) return <Kinds place={place} />;
  return (
    <PolicyForm key={kind} policy={null} type={kind} places={places.data} place={place} stored={null} />
  );
}

/** What it is to rule over comes first. */
function Kinds({ place }: { place: Place }) {
  return (
    <div className={classes.main}>
      <PageHeader title="New policy">
        <LinkAnchor to="/policies" fz="sm" c="dimmed" px="sm">Cancel</LinkAnchor>
      </PageHeader>
      <div className={classes.scroll}>
        <div className={classes.form}>
          <section className={classes.section} aria-labelledby="kinds">
            <h2 id="kinds" className={classes.heading}>What is it about?</h2>
            <ul className={classes.kinds}>
              {RULE_TYPES.map((type) => (
                <li key={type}>
                  <Link to="/policies/new" search={{ ...searchOf(place), type }} className={classes.kind}>
                    <span>{TYPES[type].label}</span>
                    <span>{TYPES[type].help}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        </div>
      </div>
    </div>
  ); // prettier-ignore
}

// ── one that is there ──────────────────────────────────────────────────────────────────────────────────────────────

function Known({ id }: { id: string }) {
  const policy = usePolicy(id);
  const places = usePlaces();
  const [opened, setOpened] = useState<Policy | null>(null);
  const [past, setPast] = useState(false);
  const history = { opened: past, open: setPast, onRestored: setOpened };
  if (policy.data && !policy.isFetching && !opened) setOpened(policy.data);
  if (policy.error instanceof ApiError && policy.error.status === 404 && !opened) return <Removed id={id} error={policy.error} />;
  if (!opened || !places.data) return <Waiting title="Policy" query={policy.isError ? policy : places} />;
  const place = places.data.find((one) => stands(opened, one));
  if (!place) return <Reading policy={policy.data ?? opened} />;
  if (!opened.rule) return <Unreadable policy={opened} places={places.data} place={place} history={history} />;
  return (
    <PolicyForm
      key={opened.version}
      policy={opened}
      type={opened.type}
      places={places.data}
      place={place}
      stored={null}
      history={history}
    />
  );
}

interface Query {
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

function Waiting({ title, query }: { title: string; query: Query }) {
  return (
    <div className={classes.main}>
      <PageHeader title={title} />
      <div className={classes.scroll}>
        {query.isError ? (
          <ErrorState error={query.error} what="the policy" retry={() => void query.refetch()} />
        ) : (
          <ListSkeleton rows={8} height={56} label="Loading the policy" />
        )}
      </div>
    </div>
  );
}

interface UnreadableProps {
  policy: Policy;
  places: readonly Place[];
  place: Place;
  history: History;
}

/** A rule that this version of Retinue cannot read: as text, the way it is stored. */
function Unreadable({ policy, places, place, history }: UnreadableProps) {
  const versions = usePolicyVersions(policy.id, true);
  if (!versions.data) return <Waiting title={policy.name} query={versions} />;
  const stored = versions.data[0]?.rule ?? {};
  return <PolicyForm policy={policy} type={policy.type} places={places} place={place} stored={stored} history={history} />;
}

/** For those who may not change it. */
function Reading({ policy }: { policy: Policy }) {
  const names = useNames();
  return (
    <div className={classes.main}>
      <PageHeader title={policy.name} note={`${placeWords(policy, names)}, ${TYPES[policy.type].label.toLowerCase()}`} />
      <div className={classes.scroll}>
        <div className={classes.form}>
          <p className={classes.means}>{meaning(policy, names)}.</p>
          <dl className={classes.facts}>
            <Fact name="In force">{policy.enabled ? "Yes" : "No"}</Fact>
            <Fact name="Changed">
              <TimeAgo when={policy.updated_at} />
              {policy.changed_by ? ` by ${names.person(policy.changed_by) ?? "somebody who is gone"}` : ""}
            </Fact>
            <Fact name="Written by">{policy.layer === "team" ? "The team's leads and admins" : "Admins"}</Fact>
          </dl>
        </div>
      </div>
    </div>
  );
}

/** It is gone, but may come back. */
function Removed({ id, error }: { id: string; error: ApiError }) {
  const navigate = useNavigate();
  const versions = usePolicyVersions(id, true);
  const restore = useRestorePolicy();
  const last = versions.data?.find((one) => !one.deleted);
  const back = (version: number) =>
    restore.mutate(
      { id, version },
      {
        onSuccess: () => window.location.reload(),
        onError: (failed) => notifyError(failed, "Couldn't bring it back"),
      },
    );
  let inside: ReactNode = <ListSkeleton rows={6} label="Loading the policy" />;
  if (versions.isError) inside = <ErrorState error={error} what="this policy" />;
  if (last) {
    inside = (
      <>
        <EmptyState
          title={`“${last.name}” was removed.`}
          action={<Button variant="default" loading={restore.isPending} onClick={() => back(last.version)}>Bring it back</Button>}
        />
        <div className={classes.form}>
          <Versions policy={{ id, version: last.version }} onRestored={() => void navigate({ to: "/policies" })} />
        </div>
      </>
    ); // prettier-ignore
  }
  return (
    <div className={classes.main}>
      <PageHeader title={last?.name ?? "Policy"} />
      <div className={classes.scroll}>{inside}</div>
    </div>
  );
}
