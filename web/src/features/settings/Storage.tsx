/** Where files are kept, what is used of it, and whether it works. */
import { Button, Group, Progress } from "@mantine/core";

import { ApiError, type Schemas } from "@/api/client";
import { useMe } from "@/api/me";
import { useStorage, useStorageLimits, useTestStorage } from "@/api/storage";
import { bytes, plural } from "@/lib/format";
import { isAdmin } from "@/lib/roles";
import { duration } from "@/lib/time";
import { StateDot } from "@/ui/StateDot";

import { Loaded, ReadOnly, Section } from "./parts";
import classes from "./SettingsPage.module.css";
import { kindWords, typeWords } from "./storageWords";

export default function Storage() {
  const me = useMe();
  const admin = isAdmin(me.data);
  const storage = useStorage(admin);
  const limits = useStorageLimits();
  return (
    <>
      <Section title="Storage" help="Where the files and pictures of messages are kept. Set in the environment of the server.">
        {me.data && !admin && <ReadOnly>Where files are kept is for admins. These limits hold for everyone.</ReadOnly>}
        {admin && (
          <Loaded query={storage} what="the storage" rows={3}>
            {(data) => <Place storage={data} />}
          </Loaded>
        )}
        {admin && <Test />}
      </Section>
      <Section title="Limits">
        <Loaded query={limits} what="the limits" rows={2}>
          {(data) => <Limits limits={data} />}
        </Loaded>
      </Section>
    </>
  );
}

function Place({ storage }: { storage: Schemas["StorageInfo"] }) {
  const { limits, used_bytes, files, free_bytes } = storage;
  const quota = free_bytes === null ? null : limits.quota_bytes;
  const part = quota ? Math.min(100, (used_bytes / quota) * 100) : 0;
  return (
    <>
      <dl className={classes.facts}>
        <dt>Kept in</dt>
        <dd>{kindWords(storage.kind)}</dd>
        {storage.kind !== "database" && (
          <>
            <dt>Place</dt>
            <dd className={classes.mono}>{storage.place}</dd>
          </>
        )}
        <dt>Used</dt>
        <dd>
          {bytes(used_bytes)} in {plural(files, "file")}
          {quota !== null && ` of ${bytes(quota)}`}
        </dd>
      </dl>
      {quota !== null && (
        <Progress value={part} size="sm" color={part > 90 ? "red" : part > 75 ? "yellow" : "blue"} aria-label={`${Math.round(part)} % used`} />
      )}
    </>
  );
}

function Limits({ limits }: { limits: Schemas["StorageLimits"] }) {
  return (
    <dl className={classes.facts}>
      <dt>One file</dt>
      <dd>{bytes(limits.max_file_bytes)} at most</dd>
      <dt>All files</dt>
      <dd>{limits.quota_bytes > 0 ? `${bytes(limits.quota_bytes)} at most` : "No limit"}</dd>
      <dt>Kinds</dt>
      <dd>{typeWords(limits.types)}</dd>
    </dl>
  );
}

function Test() {
  const test = useTestStorage();
  return (
    <>
      <Group>
        <Button variant="default" loading={test.isPending} onClick={() => test.mutate()}>
          Test
        </Button>
      </Group>
      {test.isError && (
        <div className={classes.result} data-ok="false" role="status">
          <StateDot meaning="attention" label="Couldn't test it" />
          <span>{test.error instanceof ApiError ? test.error.detail : "Try again in a moment."}</span>
        </div>
      )}
      {test.data && (
        <div className={classes.result} data-ok={test.data.ok} role="status">
          <StateDot
            meaning={test.data.ok ? "well" : "attention"}
            label={`${test.data.ok ? "Works" : "Failed"} after ${duration(test.data.latency_ms)}`}
          />
          <span>{test.data.detail}</span>
        </div>
      )}
    </>
  );
}
