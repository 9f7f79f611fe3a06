import { afterEach, describe, expect, it, vi } from "vitest";

import { ApiError, asError, onSignedOut, unwrap } from "./client";

const problem = { type: "urn:x", title: "Not signed in", status: 401, detail: "Sign in.", code: "not_signed_in", errors: [], id: null };

afterEach(() => onSignedOut(() => undefined));

describe("unwrap", () => {
  it("gives the body of a good answer", async () => {
    expect(await unwrap(Promise.resolve({ data: { ok: 1 }, response: new Response("{}") }))).toEqual({ ok: 1 });
  });

  it("throws what the problem document says", async () => {
    const error = { ...problem, status: 422, code: "bad_input", errors: [{ path: "body.name", reason: "is too long" }] };
    const asked = unwrap(Promise.resolve({ error, response: new Response("", { status: 422 }) }));
    const thrown = await asked.catch((each: unknown) => each);
    expect(thrown).toBeInstanceOf(ApiError);
    expect((thrown as ApiError).fields()).toEqual({ name: "Is too long" });
  });

  it("tells the app when the session is gone, but not when a password was wrong", async () => {
    const told = vi.fn();
    onSignedOut(told);
    const response = new Response("", { status: 401 });
    await unwrap(Promise.resolve({ error: { ...problem, code: "sign_in_refused" }, response })).catch(() => null);
    expect(told).not.toHaveBeenCalled();
    await unwrap(Promise.resolve({ error: problem, response })).catch(() => null);
    expect(told).toHaveBeenCalledOnce();
  });

  it("says that the server cannot be reached, and leaves an abort as it is", async () => {
    await expect(unwrap(Promise.reject(new TypeError("Failed to fetch")))).rejects.toMatchObject({ code: "unreachable" });
    const abort = new DOMException("stop", "AbortError");
    await expect(unwrap(Promise.reject(abort))).rejects.toBe(abort);
  });
});

describe("asError", () => {
  it("copes with a body that is no problem document", () => {
    expect(asError(502, "<html>")).toMatchObject({ status: 502, code: "unavailable" });
    expect(asError(404, null).detail).toContain("404");
  });
});
