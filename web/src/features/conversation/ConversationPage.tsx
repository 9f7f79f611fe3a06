import { PageHeader } from "@/ui/PageHeader";

/** Stands in until its owner's page is here. */
export default function ConversationPage() {
  return <PageHeader title="Conversation" />;
}
