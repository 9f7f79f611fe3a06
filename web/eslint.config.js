// What TypeScript alone does not hold: imports point one way, nothing escapes its type, no raw HTML.
import { readdirSync } from "node:fs";

import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const features = readdirSync(new URL("./src/features", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const RAW_HTML = [
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML'], Property[key.name='dangerouslySetInnerHTML']",
    message: "Render React elements: raw HTML can run what somebody wrote.",
  },
  {
    selector: "AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]",
    message: "Render React elements: raw HTML can run what somebody wrote.",
  },
];

/** Forbids importing these; `why` is what the writer reads. */
function no(files, group, why, ignores = []) {
  return { files, ignores, rules: { "no-restricted-imports": ["error", { patterns: [{ group, message: why }] }] } };
}

export default defineConfig(
  { ignores: ["node_modules", "dist", "src/api/schema.d.ts"] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ["**/*.{ts,tsx}"] })),
  hooks.configs.flat["recommended-latest"],
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "no-restricted-syntax": ["error", ...RAW_HTML],
      "no-console": "error",
      eqeqeq: ["error", "always"],
      "max-lines": ["error", { max: 400, skipBlankLines: false, skipComments: false }],
      "max-lines-per-function": ["error", { max: 110, skipBlankLines: true, skipComments: true }],
      complexity: ["error", 20], // JSX counts every && and ?:
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-invalid-void-type": "off", // mutations without variables or an answer are void
      "@typescript-eslint/only-throw-error": "off", // the router's redirect() and notFound() are thrown
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-misused-spread": "off", // [...text] counts code points on purpose
    },
  },
  {
    files: ["**/*.test.{ts,tsx}"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
  no(["src/lib/**"], ["@/api/*", "!@/api/schema", "!@/api/client", "@/ui/*", "@/app/*", "@/features/*", "react", "@mantine/*"],
    "lib is pure: types from @/api and nothing that draws or fetches."),
  no(["src/api/**"], ["@/ui/*", "@/app/*", "@/features/*"], "api fetches and knows no page."),
  no(["src/ui/**"], ["@/app/*", "@/features/*"], "ui is shared by features and knows none."),
  ...features.flatMap((name) => {
    const others = ["@/app/*", "@/app", "@/features/*", `!@/features/${name}`, "../../*"];
    const why = "A feature imports @/api, @/ui, @/lib and itself: what two features need moves there.";
    return [no([`src/features/${name}/**`], others, why), no([`src/features/${name}/*.{ts,tsx}`], [...others, "../*"], why)];
  }),
);
