/** Which models answer: the providers, the account's default, and a real test of each. */
import { Alert, Autocomplete, Button, Group } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconInfoCircle } from "@tabler/icons-react";

import { useAccount, useUpdateAccount } from "@/api/accounts";
import { ApiError, type Schemas } from "@/api/client";
import { useMe } from "@/api/me";
import { useModels } from "@/api/models";
import { isAdmin } from "@/lib/roles";
import type { Meaning } from "@/lib/states";
import { notifyDone, notifyError } from "@/ui/notify";
import { StateDot } from "@/ui/StateDot";

import { ModelTestResult, useModelTest } from "./ModelTestResult";
import { Loaded, ReadOnly, Section } from "./parts";
import classes from "./SettingsPage.module.css";

type ModelsView = Schemas["ModelsView"];
type Provider = Schemas["ProviderStatus"];

export default function Models() {
  const models = useModels();
  const account = useAccount();
  const me = useMe();
  const admin = isAdmin(me.data);
  return (
    <Loaded query={models} what="the models">
      {(data) => (
        <>
          {me.data && !admin && <ReadOnly />}
          {data.offline && (
            <Alert color="yellow" icon={<IconInfoCircle size={18} stroke={1.5} />} title="No model is connected">
              The offline model answers for every agent: it uses tools, but it is no language model. {howToConnect(data)}
            </Alert>
          )}
          <Loaded query={account} what="the account" rows={1}>
            {(found) => <DefaultModel key={found.default_model ?? ""} account={found} models={data} admin={admin} />}
          </Loaded>
          <Section title="Providers" help="Set in the environment of the server, which reads it when it starts. Keys are never shown.">
            <ul className={classes.list}>
              {sorted(data.providers).map((provider) => (
                <ProviderRow key={provider.provider} provider={provider} admin={admin} />
              ))}
            </ul>
          </Section>
        </>
      )}
    </Loaded>
  );
}

/** The advice alone, without the sentence that says we are offline. */
function howToConnect(models: ModelsView): string {
  return models.how.replace(/^No provider is configured, so it answers everything\.\s*/, "");
}

function sorted(providers: readonly Provider[]): Provider[] {
  return [...providers].sort((a, b) => Number(b.configured) - Number(a.configured));
}

interface DefaultProps {
  account: Schemas["Account"];
  models: ModelsView;
  admin: boolean;
}

function DefaultModel({ account, models, admin }: DefaultProps) {
  const update = useUpdateAccount();
  const test = useModelTest();
  const form = useForm({ initialValues: { default_model: account.default_model ?? "" } });
  const known = models.providers.filter((provider) => provider.configured).flatMap((provider) => provider.default_model ?? []);
  function save({ default_model }: { default_model: string }): void {
    update.mutate(
      { default_model: default_model.trim() || null },
      {
        onSuccess: () => notifyDone("The default model is saved. The next turns use it."),
        onError: (error) => {
          if (error instanceof ApiError && error.fields()["default_model"]) form.setErrors({ default_model: error.detail });
          else notifyError(error, "Couldn't save the default model");
        },
      },
    );
  }
  return (
    <Section title="Default model" help="Answers where an agent has no model of its own.">
      <form className={classes.form} onSubmit={form.onSubmit(save)} noValidate>
        <Autocomplete
          label="Model id"
          readOnly={!admin}
          data={admin ? [...new Set(known)] : []}
          placeholder={models.default_model ?? "provider/model"}
          description={`Empty: what the installation prefers${models.default_model ? `. Now ${models.default_model} answers` : ""}.`}
          inputWrapperOrder={["label", "input", "description", "error"]}
          {...form.getInputProps("default_model")}
        />
        {admin && (
          <Group gap="sm">
            <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
              Save
            </Button>
            <Button variant="default" loading={test.isPending} onClick={() => test.run(form.values.default_model.trim() || null)}>
              Test
            </Button>
          </Group>
        )}
        <ModelTestResult test={test} />
      </form>
    </Section>
  );
}

function stateOf({ provider, configured }: Provider): { meaning: Meaning; label: string } {
  if (provider === "offline") return configured ? { meaning: "aware", label: "Answers everything" } : { meaning: "dormant", label: "Standing by" };
  return configured ? { meaning: "well", label: "Connected" } : { meaning: "dormant", label: "Not connected" };
}

function ProviderRow({ provider, admin }: { provider: Provider; admin: boolean }) {
  const test = useModelTest();
  const offline = provider.provider === "offline";
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <div>{provider.title}</div>
        <div className={classes.dim}>{offline ? "Built in. Answers without any provider, from rules." : provider.how}</div>
      </div>
      <div className={classes.actions}>
        <StateDot {...stateOf(provider)} />
        {admin && provider.configured && provider.default_model && (
          <Button
            size="xs"
            variant="default"
            aria-label={`Test ${provider.title}`}
            loading={test.isPending}
            onClick={() => test.run(provider.default_model)}
          >
            Test
          </Button>
        )}
      </div>
      {(test.data ?? test.error) !== null && <ModelTestResult test={test} />}
    </li>
  );
}
