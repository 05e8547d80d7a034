/** The container's constants. The format is written down in docs/epk-format.md. */
export const magic = Uint8Array.of(0x89, 0x45, 0x50, 0x4b); // "\x89EPK": not text, and not UTF-8
export const version = 1;
/** Magic, version, header length, header checksum. */
export const prefixLength = 13;
export const digestLength = 32;

/** How a stream holds its parts. Numbers are part of the format and never change their meaning. */
export const StreamKind = { block: 0, mixing: 1, derived: 2 } as const;

/** Refused above these, before anything is allocated for them. */
export const limits = {
  files: 65_536,
  sections: 4_194_304,
  streams: 4_194_304,
  nameBytes: 65_536,
  rank: 64,
  dataType: 0x7fffffff,
  headerBytes: 268_435_456,
} as const;

/** A tensor payload within a file. */
export interface TocSection {
  /** Absent while it only is a reference into the file's skeleton. */
  readonly name: { readonly text: string } | { readonly skeletonOffset: number; readonly byteLength: number };
  readonly offset: number;
  readonly byteLength: number;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly stream: number;
}

/** A file: its skeleton (what is left without the sections) and its sections in order of offset. */
export interface TocFile {
  readonly name: string;
  readonly byteLength: number;
  readonly skeletonLength: number;
  readonly skeletonStream: number;
  readonly sections: readonly TocSection[];
}

/** A file whose sections follow from its skeleton: only their streams are told, in order of offset. */
export interface ImpliedTocFile extends Omit<TocFile, 'sections'> {
  readonly sectionStreams: readonly number[];
}

export interface TocStream {
  readonly kind: number;
  readonly codedLength: number;
  /** CRC-32 of the coded bytes. */
  readonly checksum: number;
}

/** The table of contents. A stream's parts are the skeletons (in file order), then the sections (in file and offset order), that name it. */
export interface Toc<File = TocFile> {
  readonly files: readonly File[];
  readonly streams: readonly TocStream[];
}

/** A table of contents as it is stored. */
export type StoredToc = Toc<TocFile | ImpliedTocFile>;

/** A relative path of plain names, with forward slashes: what may be written below a folder on any system. */
export function isConfinedName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  if (name.length === 0 || /[\\:\u0000-\u001f\u007f]/.test(name)) return false;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
