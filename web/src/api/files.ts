/** Files for messages: uploading them with progress, and how large they may be. */
import { useQuery } from "@tanstack/react-query";

import { api, ApiError, asError, unwrap, type Schemas } from "./client";
import { keys } from "./keys";

export type StoredFile = Schemas["File"];
export type StorageLimits = Schemas["StorageLimits"];

/** What the server takes. */
export function useStorageLimits() {
  return useQuery({
    queryKey: [...keys.storage, "limits"],
    queryFn: () => unwrap(api.GET("/v1/storage/limits")),
    staleTime: Infinity,
    meta: { live: false },
  });
}

/** Removes a file that is in no message. Nobody waits for it: what is left over goes by itself within a day. */
export function discardFile(id: string): void {
  void api.DELETE("/v1/files/{file_id}", { params: { path: { file_id: id } } }).catch(() => undefined);
}

interface Upload {
  /** 0 to 1. */
  onProgress: (part: number) => void;
  signal: AbortSignal;
}

/** Uploads one file. By XMLHttpRequest, since fetch says nothing of its progress. Throws `ApiError`. */
export function uploadFile(file: File, { onProgress, signal }: Upload): Promise<StoredFile> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file, file.name || "file");
    request.open("POST", "/v1/files");
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status === 201) resolve(request.response as StoredFile);
      else reject(asError(request.status, request.response));
    };
    request.onerror = () =>
      reject(new ApiError(0, "unreachable", "Couldn't reach the server", "Check your connection, then try again."));
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}
