import { ActionIcon } from "@mantine/core";
import { IconMoodPlus } from "@tabler/icons-react";
import { useRef, useState } from "react";

import type { Message } from "@/api/messages";
import { later } from "@/ui/later";

import { useReact } from "./useReact";

const Choices = later(() => import("./Choices").then((module) => module.Choices));

interface Props {
  channelId: string;
  message: Message;
}

/** A button that opens the few reactions there are. */
export function AddReaction({ channelId, message }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const [near, setNear] = useState(false);
  const [opened, setOpened] = useState(false);
  const react = useReact(channelId, message);
  const mine = new Set(message.reactions.flatMap((one) => (one.mine ? [one.emoji] : [])));
  const come = () => setNear(true);
  const pick = (emoji: string) => {
    setOpened(false);
    react(emoji);
  };
  return (
    <>
      <ActionIcon
        ref={button}
        size={28}
        aria-label="Add a reaction"
        data-tip={opened ? undefined : "Add a reaction"}
        aria-haspopup="dialog"
        aria-expanded={opened}
        onPointerEnter={come}
        onFocus={come}
        onClick={() => setOpened(!opened)}
      >
        <IconMoodPlus size={18} stroke={1.5} />
      </ActionIcon>
      {near && <Choices target={button} opened={opened} onChange={setOpened} mine={mine} onPick={pick} />}
    </>
  );
}
