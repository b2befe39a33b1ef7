import { defineConfig } from "vite";

export default defineConfig({
  // The client is a link to clients/typescript, outside of this folder: bundled beforehand, it can be served from here.
  optimizeDeps: { include: ["ldn-evidence-client"] },
  build: { modulePreload: { polyfill: false } },
});
