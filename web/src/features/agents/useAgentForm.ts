import { useForm, type UseFormReturnType } from "@mantine/form";

import { check, type AgentValues } from "./form";

export type Form = UseFormReturnType<AgentValues>;

/** The form of an agent, checked when a field is left and before it is sent. */
export function useAgentForm(initial: AgentValues): Form {
  return useForm<AgentValues>({
    mode: "controlled",
    initialValues: initial,
    validate: check,
    validateInputOnBlur: true,
    clearInputErrorOnChange: true,
  });
}
