// The packages as a user has them: packed by npm, installed from the tarballs into a project outside the repository.
import { access, mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dist } from "./paths.mjs";
import { run } from "./run.mjs";

/**
 * An empty project with the packages (both, or those named in `only`) in its node_modules. `files` are written into it:
 * path -> text. `pack` holds what `npm pack` reported for each.
 */
export async function installedPackages(files = {}, { only = Object.keys(dist) } = {}) {
  // The real path: bundlers resolve symbolic links, and a temporary folder may be behind one.
  const folder = await mkdtemp(join(realpathSync(tmpdir()), "keybound-project-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const pack = {};
    for (const name of only) pack[name] = await npmPack(dist[name], folder);
    await write(folder, { "package.json": JSON.stringify({ name: "empty-project", private: true, type: "module" }), ...files });
    const tarballs = Object.values(pack).map(({ filename }) => `./${filename}`);
    // Offline: neither package may need anything else.
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", ...tarballs], { cwd: folder });
    return { folder, pack, remove, write: (more) => write(folder, more), path: (...parts) => join(folder, ...parts) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function npmPack(source, destination) {
  await access(join(source, "package.json")).catch(() => {
    throw new Error(`${source} is not there: run \`cargo xtask build\` first`);
  });
  const [report] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", destination], { cwd: source }));
  // Older versions of npm name a scoped tarball with its slash.
  return { ...report, filename: report.filename.replace("@", "").replace("/", "-") };
}

async function write(folder, files) {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, text);
  }
}
