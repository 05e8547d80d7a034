import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
// rolldown comes with vitest.
import { parseSync } from 'rolldown/utils';
import { renderDocComment } from './doc-comment.mjs';
import { code, codeBlock } from './markdown.mjs';
import { contentTable, schemaTable } from './schema-table.mjs';

const index = new URL('../../src/index.ts', import.meta.url);

/** A section for everything that src/index.ts exports: its doc comment, its signature, for options a table of them. */
export async function apiSections() {
  const entries = [];
  for (const statement of parse(index).program.body) {
    const file = new URL(statement.source.value, index);
    const source = parse(file);
    for (const { local, exported } of statement.specifiers) {
      entries.push(await describeExport(source, local.name, exported.name, file));
    }
  }
  const groups = [
    ['Functions', 'function'],
    ['Values and classes', 'value'],
    ['Types', 'type'],
  ];
  return groups
    .map(([title, kind]) => {
      const sections = entries.filter((entry) => entry.kind === kind).sort((a, b) => (a.name < b.name ? -1 : 1));
      return [`## ${title}`, ...sections.map(({ name, text }) => `### ${name}\n\n${text}`)].join('\n\n');
    })
    .join('\n\n');
}

function parse(url) {
  const text = readFileSync(url, 'utf8');
  const { program, comments, errors } = parseSync(fileURLToPath(url), text);
  if (errors.length > 0) throw errors[0];
  return { program, comments, text };
}

async function describeExport(source, localName, name, file) {
  for (const statement of source.program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration === null) continue;
    const { declaration } = statement;
    const declared = declaration.id?.name ?? declaration.declarations?.[0].id.name;
    if (declared !== localName) continue;
    const comment = commentBefore(source, statement.start);
    if (comment === undefined) throw new Error(`${name} is exported by src/index.ts and has no doc comment`);
    const module = declaration.type === 'TSTypeAliasDeclaration' ? await import(file.href) : {};
    const shape = tableOf(source.text.slice(declaration.start, declaration.end), module);
    const parts = [
      renderDocComment(comment),
      shape ?? codeBlock(signature(source, declaration).replace(localName, name), 'ts'),
    ];
    return { name, kind: kindOf(declaration), text: parts.join('\n\n') };
  }
  throw new Error(`src/index.ts exports ${localName}, which is not declared in ${file.pathname}`);
}

/** A type that follows from a value in the code (`z.output<typeof schema>`, `keyof typeof table`), written out; else undefined. */
function tableOf(declaration, module) {
  const [, keys, direction, name] = /(?:(keyof)|z\.(input|output)<)\s*typeof (\w+)/.exec(declaration) ?? [];
  const value = module[name];
  if (value === undefined) return undefined;
  if (keys !== undefined) return `One of ${Object.keys(value).map(code).join(', ')}.`;
  return direction === 'input' ? schemaTable(value, { heading: 'field' }) : contentTable(value);
}

function kindOf({ type }) {
  if (type === 'FunctionDeclaration') return 'function';
  return type === 'TSInterfaceDeclaration' || type === 'TSTypeAliasDeclaration' ? 'type' : 'value';
}

/** The doc comment that ends right before a position. */
function commentBefore({ comments, text }, start) {
  const comment = comments.find(
    ({ type, end }) => type === 'Block' && end <= start && text.slice(end, start).trim() === '',
  );
  return comment?.value.startsWith('*') ? comment.value.slice(1) : undefined;
}

/**
 * A declaration without what only its author needs: the bodies of functions, the value of a typed constant, how a parameter
 * is taken apart.
 */
function signature({ text }, declaration) {
  const edits = [];
  if (declaration.type === 'FunctionDeclaration') {
    for (const parameter of declaration.params) {
      const pattern = parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
      if (pattern.type !== 'ObjectPattern') continue;
      const { typeAnnotation } = pattern;
      const type = text.slice(typeAnnotation.typeAnnotation.start, typeAnnotation.end);
      edits.push({ start: pattern.start, end: typeAnnotation.start, to: /[A-Z][a-z]*$/.exec(type)[0].toLowerCase() });
    }
    edits.push({ ...declaration.body, to: ';' });
  }
  if (declaration.type === 'VariableDeclaration') {
    const { id, init } = declaration.declarations[0];
    if (id.typeAnnotation) edits.push({ start: id.end, end: declaration.end, to: ';' });
    else if (init === null) throw new Error(`${id.name} has neither a type nor a value`);
  }
  if (declaration.type === 'ClassDeclaration') {
    for (const { value } of declaration.body.body) if (value?.body) edits.push({ ...value.body, to: ';' });
  }
  let result = '';
  let at = declaration.start;
  for (const { start, end, to } of edits) {
    const kept = text.slice(at, start);
    result += `${to === ';' ? kept.trimEnd() : kept}${to}`;
    at = end;
  }
  return `${result}${text.slice(at, declaration.end)}`.replace(/^async /, '').replace(/\boverride /g, '');
}
