/** A Markdown table; cells may hold any text. */
export function table(head, rows) {
  const line = (cells) =>
    `| ${cells
      .map((cell) =>
        String(cell)
          .replaceAll('|', '\\|')
          .replace(/\s*\n\s*/g, ' '),
      )
      .join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function codeBlock(text, language) {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** Plain text, with the signs escaped that Markdown would take for its own. */
export const prose = (text) => text.replace(/[*<]/g, '\\$&');

export const code = (text) => `\`${text}\``;
