/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { pack } from "./pack.ts";

const API = process.env["RETINUE_DEV_API"] ?? "http://127.0.0.1:8000";

// Built into the Python package, so that the wheel carries the application and the API process serves it.
export default defineConfig({
  plugins: [react(), pack()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { outDir: "../src/retinue/web", emptyOutDir: true, assetsInlineLimit: 0, target: "es2022" },
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
