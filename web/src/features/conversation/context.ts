/** What the parts of one conversation share: where they are, and what a row may ask of the page. */
import { createContext, useContext } from "react";

export interface ConversationValue {
  channelId: string;
  /** The message that is being edited. */
  editing: string | null;
  setEditing: (messageId: string | null) => void;
  /** Begins to edit one's last message; false when there is none in sight. */
  editLastOwn: () => boolean;
  openThread: (messageId: string) => void;
  /** Whether one may write here. */
  canWrite: boolean;
}

const OUTSIDE: ConversationValue = {
  channelId: "",
  editing: null,
  setEditing: () => undefined,
  editLastOwn: () => false,
  openThread: () => undefined,
  canWrite: true,
};

export const ConversationContext = createContext<ConversationValue>(OUTSIDE);

export function useConversation(): ConversationValue {
  return useContext(ConversationContext);
}
