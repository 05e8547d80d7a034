import type { ErrorCode } from '../diagnostics/edgepack-error.ts';

/**
 * What the device's shell does. POSIX sh with coreutils or BusyBox; each script is one line of words in single quotes, and
 * nothing but hashes, random words and file names of ours goes in. All of it stays within one folder of its own.
 */
const enter = [
  'set -u',
  'umask 077',
  `c="\${XDG_CACHE_HOME:-\${HOME:?has no home}/.cache}/edgepack"`,
  'mkdir -p "$c/runs"',
  'cd "$c"',
].join(' && ');

/** Removes what runs left whose shell is gone: their folders begin with its number. */
const sweep =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
  'for d in runs/*.* *.part; do [ -e "$d" ] || continue; n=${d##*/}; n=${n#*-}; kill -0 "${n%%.*}" 2>/dev/null || rm -rf "$d"; done';

/** Whether folder `$1`, named for the hash of its list of files, is there and intact; removed where it is not. */
const check =
  'intact() { [ -d "$1" ] || return 1; ( cd "$1" && echo "$1  MANIFEST" | sha256sum -c - && sha256sum -c MANIFEST ) >/dev/null 2>&1 || { rm -rf "$1"; return 1; }; }';

/** Removes what no run has asked for in a month: the runtimes of other versions of edgepack. */
const forget = 'find . -maxdepth 1 -type d -name "[0-9a-f]*" -mtime +30 -exec rm -rf "{}" + 2>/dev/null';

/**
 * Opens what is done at the end of a shell: a second signal, or a message that nobody reads any more, would end the shell
 * within its trap, and what has to be removed would stay.
 */
const undisturbed = 'trap "" HUP INT TERM PIPE';

/** Tells what the device is, and which of the folders named by the parameters it has. */
export const probeScript = [
  'echo "edgepack-probe 1"',
  'echo "system $(uname -s)"',
  'echo "machine $(uname -m)"',
  'echo "bits $(getconf LONG_BIT 2>/dev/null)"',
  'if ldd --version 2>&1 | grep -qi musl; then echo "libc musl"; fi',
  'for t in tar gzip sha256sum mktemp; do command -v $t >/dev/null || echo "lacks $t"; done',
  `for n in node nodejs; do p=$(command -v $n) || continue; echo "node $("$p" -p "process.versions.node+'/'+process.arch" 2>/dev/null) $p"; done`,
  `{ ${enter}; } || { echo "unwritable"; exit 0; }`,
  sweep,
  check,
  'for h in "$@"; do echo "check $h"; if intact "$h"; then touch "$h"; echo "has $h"; fi; done',
  forget,
  'df -Pk . 2>/dev/null | { read -r _ && read -r _ _ _ k _ && echo "free $k"; }',
  'echo "end"',
].join('\n');

/**
 * Beside the unpacking: ends the whole process group when nothing has come for `$s` seconds, since no signal comes when the
 * network is gone, and cleans up where the shell itself was killed.
 */
const watch = [
  '( trap "kill \\$z; exit" TERM; i=0; b=',
  'while sleep 2 & z=$!; wait "$z"',
  'do kill -0 $$ 2>/dev/null || { trap "" TERM; kill 0; sleep 1; rm -rf "$c/$t"; exit; }',
  'n=$(du -sk "$c/$t"); if [ "$n" = "$b" ]; then i=$((i + 2)); [ "$i" -lt "$s" ] || kill 0; else i=0; fi; b=$n',
  'done ) </dev/null >/dev/null 2>&1',
].join('; ');

/**
 * Unpacks what comes in into folder `$1`; the parameters from `$3` on are hashes and names of its files. It ends when
 * nothing has come for `$2` seconds.
 */
export const installScript = [
  `${enter} || exit 41`,
  'h=$1; s=$2; shift 2; w=',
  `t="new-$$.part"; trap '${undisturbed}; [ -z "$w" ] || kill "$w"; cd "$c" && rm -rf "$t"' EXIT; trap "exit 42" HUP INT TERM PIPE`,
  'mkdir "$t" && cd "$t" || exit 41',
  'printf "%s  %s\\n" "$@" > MANIFEST && cut -c67- MANIFEST > NAMES || exit 43',
  `${watch} & w=$!`,
  'tar -xzf - -T NAMES && rm NAMES || exit 43',
  'kill "$w"; w=',
  '{ echo "$h  MANIFEST" | sha256sum -c - && sha256sum -c MANIFEST; } >/dev/null || exit 44',
  'cd "$c"; [ -d "$h" ] || mv "$t" "$h" || exit 43',
  'echo installed',
].join('; ');

/**
 * Runs the agent of folder `$1` with the Node.js at `$2` (a path within the cache's folder, or one of the system); `$3` is
 * the line that opens its answers, `$4` after how many ms without a word of the host it ends. The folder of the run goes with this shell.
 */
export const runScript = [
  `${enter} || exit 41`,
  'r=$(mktemp -d "$c/runs/$$.XXXXXX") || exit 43',
  `trap '${undisturbed}; rm -rf "$r"' EXIT; trap "exit 42" HUP INT TERM PIPE`,
  'case "$2" in /*) n=$2;; *) n="$c/$2";; esac',
  'unset NODE_OPTIONS NODE_PATH',
  'TMPDIR="$r" "$n" "$c/$1/dist/device/agent/main.js" "$3" "$c" "$r" "$4"',
].join('; ');

/** Removes all that edgepack has on the device, unless a run is under way there. */
export const cleanScript = [
  `${enter} || exit 41`,
  sweep,
  'for d in runs/*.* *.part; do [ ! -e "$d" ] || { echo busy; exit 0; }; done',
  'cd / && rm -rf "$c" && echo cleaned',
].join('; ');

/** What an exit code of these scripts means. */
export const scriptFailures: Readonly<
  Record<number, { readonly code: ErrorCode; readonly reason: string; readonly hint: string }>
> = {
  41: {
    code: 'device-unsuitable',
    reason: 'the folder ~/.cache/edgepack cannot be made',
    hint: 'Check whose it is, and whether the disk is full',
  },
  42: { code: 'device-failed', reason: 'the connection was closed', hint: 'Try again' },
  43: {
    code: 'device-unsuitable',
    reason: 'what edgepack needs there could not be written',
    hint: 'Check the free space in ~/.cache/edgepack; "edgepack bench --device … --clean" removes what is cached',
  },
  44: { code: 'device-failed', reason: 'what was sent did not arrive as it was', hint: 'Try again' },
};
