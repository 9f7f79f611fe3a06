/** Which model ids to offer: what is known of the connected providers. */
import type { Schemas } from "@/api/client";

interface Group {
  group: string;
  items: string[];
}

export function modelIds(models: Schemas["ModelsView"] | undefined): Group[] {
  if (!models) return [];
  return models.providers
    .filter((provider) => provider.configured && provider.default_model)
    .map((provider) => ({ group: provider.title, items: provider.default_model ? [provider.default_model] : [] }));
}
