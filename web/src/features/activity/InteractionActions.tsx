/** What can be done with a turn: stop it, try it again, take it along. */
import { ActionIcon, Button, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconBraces, IconDots, IconLink, IconPlayerStop, IconRefresh } from "@tabler/icons-react";

import { useCancelInteraction, useRetryInteraction, type Interaction } from "@/api/interactions";
import { notifyDone, notifyError } from "@/ui/notify";

const GOING = new Set(["queued", "running", "waiting"]);

export function InteractionActions({ interaction }: { interaction: Interaction }) {
  const cancel = useCancelInteraction();
  const retry = useRetryInteraction();
  const icon = { size: 18, stroke: 1.5 };
  return (
    <>
      {GOING.has(interaction.state) ? (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlayerStop {...icon} />}
          loading={cancel.isPending}
          onClick={() => cancel.mutate(interaction.id, { onError: (error) => notifyError(error, "Couldn't stop the turn") })}
        >
          Stop
        </Button>
      ) : null}
      {interaction.state === "failed" ? (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconRefresh {...icon} />}
          loading={retry.isPending}
          onClick={() => retry.mutate(interaction.id, { onError: (error) => notifyError(error, "Couldn't try it again") })}
        >
          Try again
        </Button>
      ) : null}
      <More interaction={interaction} />
    </>
  );
}

function More({ interaction }: { interaction: Interaction }) {
  const { copy } = useClipboard();
  const icon = { size: 18, stroke: 1.5 };
  const take = (text: string, words: string): void => {
    copy(text);
    notifyDone(words);
  };
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label="More actions">
          <IconDots {...icon} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconBraces {...icon} />}
          onClick={() => take(JSON.stringify(interaction, null, 2), "Copied as JSON.")}
        >
          Copy as JSON
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLink {...icon} />}
          onClick={() => take(new URL(`/activity/${interaction.id}`, location.origin).href, "Link copied.")}
        >
          Copy link
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
