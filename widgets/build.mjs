// Builds one bundle a root widget into the Python package, and fails where one outgrows its limit.
import { build, context } from "esbuild";
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const WIDGETS = ["batch", "dashboard"];
const LIMIT_BYTES = 100_000;
const LIMIT_TOGETHER_BYTES = 200_000;
const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = fileURLToPath(new URL("../soundforge_nb/dashboards/static/", import.meta.url));

const options = {
  absWorkingDir: here,
  entryPoints: Object.fromEntries(WIDGETS.map((name) => [name, `src/${name}/index.ts`])),
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
};

if (process.argv.includes("--watch")) {
  await (await context(options)).watch();
} else {
  await build(options);
  let together = 0;
  for (const file of WIDGETS.flatMap((name) => [`${name}.js`, `${name}.css`])) {
    const { size } = await stat(outdir + file);
    console.log(`${file} ${(size / 1000).toFixed(1)} kB`);
    together += size;
    if (size > LIMIT_BYTES) throw new Error(`${file} is larger than ${LIMIT_BYTES} bytes`);
  }
  if (together > LIMIT_TOGETHER_BYTES) throw new Error(`Together they are larger than ${LIMIT_TOGETHER_BYTES} bytes`);
}
