import { readdirSync, readFileSync } from 'node:fs';
import { apiSections } from './api-blocks.mjs';
import { commandHelp } from './cli-blocks.mjs';
import { errorTable } from './error-blocks.mjs';
import { recipeTable, stepSections } from './recipe-blocks.mjs';
import { processorTable, profileKeys, providerTable, targetTable, toolchainTable } from './target-blocks.mjs';

const blocks = {
  api: apiSections,
  commands: commandHelp,
  errors: errorTable,
  recipes: recipeTable,
  steps: stepSections,
  targets: targetTable,
  processors: processorTable,
  providers: providerTable,
  toolchains: toolchainTable,
  profile: profileKeys,
};

const folder = new URL('../../docs/', import.meta.url);
const block = /(<!-- generated: (\w+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/**
 * The pages of docs/ that hold generated parts, as they should be: each part between `<!-- generated: name -->` and
 * `<!-- /generated -->` is what the code gives now, the rest is as it stands.
 * @returns {Promise<ReadonlyMap<string, { url: URL, before: string, after: string }>>} by file name
 */
export async function generatedPages() {
  const made = {};
  for (const [name, make] of Object.entries(blocks)) made[name] = await make();
  const pages = new Map();
  const used = new Set();
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
    const url = new URL(name, folder);
    const before = readFileSync(url, 'utf8').replaceAll('\r\n', '\n');
    const after = before.replace(block, (_, begin, blockName, end) => {
      if (made[blockName] === undefined)
        throw new Error(`docs/${name} asks for "${blockName}", which nothing generates`);
      used.add(blockName);
      return `${begin}\n${made[blockName]}\n\n${end}`;
    });
    if (block.test(before)) pages.set(name, { url, before, after });
    block.lastIndex = 0;
  }
  const unused = Object.keys(blocks).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`no page of docs/ has a place for ${unused.join(', ')}`);
  return pages;
}
