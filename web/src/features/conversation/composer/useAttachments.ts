import { useCallback, useEffect, useReducer, useRef, useState } from "react";

import { ApiError } from "@/api/client";
import { discardFile, uploadFile, useStorageLimits } from "@/api/files";
import type { DraftFile } from "@/lib/draft";

import { attachmentsReducer, DEFAULT_LIMITS, fromDraft, isPicture, sift, type Attachment, type Limits } from "./attachments";

/** Servers take so many files in one message. */
const MAX_FILES = 10;

interface Pending {
  source: File;
  stop: AbortController;
}

export interface Attachments {
  items: readonly Attachment[];
  /** Why files were not taken, until the next try. */
  refused: readonly string[];
  add: (files: readonly File[]) => void;
  remove: (key: string) => void;
  retry: (key: string) => void;
  /** Forgets them all without discarding: they are sent. */
  clear: () => void;
}

function useLimits(): Limits {
  const { data } = useStorageLimits();
  return data ? { maxBytes: data.max_file_bytes, maxFiles: MAX_FILES, types: data.types } : DEFAULT_LIMITS;
}

function begin(source: File): Attachment {
  return {
    key: crypto.randomUUID(),
    name: source.name || "file",
    bytes: source.size,
    mediaType: source.type,
    state: "uploading",
    progress: 0,
    file: null,
    preview: isPicture(source.type) ? URL.createObjectURL(source) : null,
    error: null,
  };
}

/** The files of one composer: they upload as soon as they are there, and wait to be sent. */
export function useAttachments(initial: readonly DraftFile[]): Attachments {
  const [items, dispatch] = useReducer(attachmentsReducer, initial, (files) => files.map(fromDraft));
  const [refused, setRefused] = useState<readonly string[]>([]);
  const pending = useRef(new Map<string, Pending>());
  const limits = useLimits();
  const now = useRef({ items, limits });
  useEffect(() => {
    now.current = { items, limits };
  });
  useEffect(() => {
    const left = pending.current;
    return () => {
      left.forEach(({ stop }) => stop.abort());
      now.current.items.forEach((one) => one.preview?.startsWith("blob:") && URL.revokeObjectURL(one.preview));
    };
  }, []);

  const upload = useCallback(async (key: string, source: File) => {
    const stop = new AbortController();
    pending.current.set(key, { source, stop });
    const onProgress = (progress: number) => dispatch({ do: "progress", key, progress });
    try {
      const file = await uploadFile(source, { onProgress, signal: stop.signal });
      pending.current.delete(key);
      dispatch({ do: "ready", key, file });
    } catch (error) {
      if (stop.signal.aborted) return;
      dispatch({ do: "failed", key, error: error instanceof ApiError ? error.detail : "Couldn't upload this file." });
    }
  }, []);

  const add = useCallback(
    (files: readonly File[]) => {
      const sifted = sift(files, now.current.items.length, now.current.limits);
      setRefused(sifted.refused);
      const fresh = sifted.taken.map((source) => ({ source, item: begin(source) }));
      dispatch({ do: "add", items: fresh.map(({ item }) => item) });
      fresh.forEach(({ source, item }) => void upload(item.key, source));
    },
    [upload],
  );
  const remove = useCallback((key: string) => {
    const gone = now.current.items.find((one) => one.key === key);
    pending.current.get(key)?.stop.abort();
    pending.current.delete(key);
    if (gone?.file) discardFile(gone.file.id);
    if (gone?.preview?.startsWith("blob:")) URL.revokeObjectURL(gone.preview);
    setRefused([]);
    dispatch({ do: "remove", key });
  }, []);
  const retry = useCallback(
    (key: string) => {
      const known = pending.current.get(key);
      if (!known) return;
      dispatch({ do: "again", key });
      void upload(key, known.source);
    },
    [upload],
  );
  const clear = useCallback(() => {
    setRefused([]);
    dispatch({ do: "clear" });
  }, []);
  return { items, refused, add, remove, retry, clear };
}
