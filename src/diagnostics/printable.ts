/** Escapes control and bidirectional characters and shortens, so that a name from a file can be printed safely. */
export function printable(text: string, maxLength = 120): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return short.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being escaped
    /[\u0000-\u001f\u007f-\u009f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
