/**
 * The text of a doc comment as Markdown: the description, then examples and errors.
 * @param {string} comment what stands between the slashes, stars included
 */
export function renderDocComment(comment) {
  const text = comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim();
  const [description, ...tags] = text.split(/^@(?=\w)/m).map((part) => part.trim());
  const parts = [plain(description)];
  for (const tag of tags) {
    const [, name, body] = /^(\w+)\s*([\s\S]*)$/.exec(tag);
    if (name === 'example') parts.push(`\`\`\`ts\n${body}\n\`\`\``);
    else if (name === 'throws')
      parts.push(`Throws ${plain(body).replace(/^EdgepackError/, '[`EdgepackError`](#edgepackerror)')}`);
    else if (name === 'param') parts.push(`- ${plain(body).replace(/^(\S+)/, '`$1`:')}`);
    else throw new Error(`a doc comment has the tag @${name}, which the documentation does not render`);
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

function plain(text) {
  return text.replace(/\{@link (\w+)\}/g, '`$1`').replace(/\s*\n\s*/g, ' ');
}
