/** Asks before changes that are not saved are left behind. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { useBlocker } from "@tanstack/react-router";

export function LeaveGuard({ blocked }: { blocked: () => boolean }) {
  const blocker = useBlocker({ shouldBlockFn: blocked, enableBeforeUnload: blocked, withResolver: true });
  return (
    <Modal
      opened={blocker.status === "blocked"}
      onClose={() => blocker.reset?.()}
      title="Leave without saving?"
      closeButtonProps={{ "aria-label": "Stay" }}
      size="sm"
    >
      <Text size="sm">What you changed here is not saved and would be lost.</Text>
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={() => blocker.reset?.()} data-autofocus>
          Stay
        </Button>
        <Button color="red" onClick={() => blocker.proceed?.()}>
          Leave
        </Button>
      </Group>
    </Modal>
  );
}
