/** Saving a policy, and what comes of it. */
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useRef, useState } from "react";

import { ApiError } from "@/api/client";
import { useCreatePolicy, useUpdatePolicy, type Policy, type SavedPolicy } from "@/api/policies";
import { notifyDone } from "@/ui/notify";

import { serverErrors } from "./check";
import type { Place } from "./places";
import type { Editing, Written } from "./useEditing";

interface Refused {
  title: string;
  words: string;
}

export type Saving = ReturnType<typeof useSaving>;

interface Props {
  policy: Policy | null;
  place: Place;
  editing: Editing;
}

export function useSaving({ policy, place, editing }: Props) {
  const navigate = useNavigate();
  const create = useCreatePolicy();
  const update = useUpdatePolicy();
  const [version] = useState(policy?.version);
  const [conflict, setConflict] = useState<string | null>(null);
  const [refused, setRefused] = useState<Refused | null>(null);
  const leaving = useRef(false);
  const leave = useCallback(() => {
    leaving.current = true;
  }, []);

  function done(saved: SavedPolicy): void {
    leave();
    notifyDone(saved.enabled ? `“${saved.name}” holds from the next step of every turn.` : `“${saved.name}” is saved, and switched off.`);
    void navigate({ to: "/policies" });
  }

  function failed(error: unknown): void {
    if (!(error instanceof ApiError)) { setRefused({ title: "Not saved", words: "Something in this page failed. Nothing is lost: try again." }); return; }
    if (error.code === "wrong_state" && policy) { setConflict(error.detail); return; }
    if (error.code === "loosens") { setRefused({ title: "Not saved: a policy above gives less", words: error.detail }); return; }
    if (error.code === "already_exists" && editing.view === "form") { beside({ name: error.detail }, null); return; }
    if (error.errors.length === 0) { setRefused({ title: "Not saved", words: error.detail }); return; }
    const said = error.errors.map(({ path, reason }) => `${path.replace(/^body\./, "")}: ${reason}`).join("\n");
    if (editing.view !== "form") { setRefused({ title: "Not saved", words: said }); return; }
    const { "": rest, ...fields } = serverErrors(error.fields(), editing.type);
    beside(fields, rest ?? null);
  }

  function beside(fields: Record<string, string>, rest: string | null): void {
    editing.form.setErrors(fields);
    if (rest) setRefused({ title: "Not saved", words: rest });
    if (Object.keys(fields).length > 0) focusFirstError();
  }

  function send(written: Written, over: boolean): void {
    setRefused(null);
    setConflict(null);
    if (!policy) {
      const { layer, team_id } = place;
      create.mutate({ ...written, layer, team_id }, { onSuccess: done, onError: failed });
      return;
    }
    const change = { ...written, ...(over || version === undefined ? {} : { version }) };
    update.mutate({ id: policy.id, change }, { onSuccess: done, onError: failed });
  }

  function save(over = false): void {
    const written = editing.read();
    if (written) { send(written, over); return; }
    editing.complain();
    focusFirstError();
  }
  return {
    save: () => save(),
    saveOver: () => save(true),
    busy: create.isPending || update.isPending,
    conflict,
    refused,
    leaving,
    leave,
  };
}

/** Moves to the first field that is wrong, once its message stands there. */
function focusFirstError(): void {
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>("form [aria-invalid='true']");
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  });
}
