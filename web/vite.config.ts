/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { pack } from "./pack.ts";

const API = process.env["RETINUE_DEV_API"] ?? "http://127.0.0.1:8000";

// What every page stands on: one file instead of many small ones, which browsers keep over releases of the app.
const BASE = /node_modules\/(react|react-dom|scheduler|use-sync-external-store|@tanstack)\//;

// Built into the Python package, so that the wheel carries the application and the API process serves it.
export default defineConfig({
  plugins: [react(), pack()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../src/retinue/web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "base", test: BASE }] } } },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries(
      ["/v1", "/healthz", "/readyz", "/metrics", "/openapi.json"].map((path) => [path, { target: API }]),
    ),
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
