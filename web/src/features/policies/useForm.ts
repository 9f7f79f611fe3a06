import { useForm, type UseFormReturnType } from "@mantine/form";

import { check } from "./check";
import type { Values } from "./form";

export type Form = UseFormReturnType<Values>;

/** The form of a policy, checked when a field is left and before it is sent. */
export function usePolicyForm(initial: Values): Form {
  return useForm<Values>({
    mode: "controlled",
    initialValues: initial,
    validate: check,
    validateInputOnBlur: true,
    clearInputErrorOnChange: true,
  });
}
