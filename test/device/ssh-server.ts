import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

const SSHD = '/usr/sbin/sshd';

/** Whether an OpenSSH server and client are here (Debian: openssh-server). */
export const hasSshServer =
  process.platform === 'linux' && existsSync(SSHD) && runs('ssh', ['-V']) && runs('ssh-keygen', ['-?']);

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** An OpenSSH server of its own on this host: own port, own keys, own folder for what is cached on "the device". */
export class SshServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'ssh-server-'));
  readonly cacheHome = join(this.folder, 'cache');
  readonly home = join(this.folder, 'home');
  /** Configuration for the client, with a key that is let in and the server's host key. */
  readonly clientConfig = join(this.folder, 'client.conf');
  readonly port: number;
  readonly user = userInfo().username;
  #log = '';
  readonly #process: ChildProcess;

  private constructor(port: number, environment: Readonly<Record<string, string>>) {
    this.port = port;
    for (const folder of [this.cacheHome, this.home]) mkdirSync(folder);
    for (const key of ['host', 'client', 'stranger']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', this.path(key)]);
    }
    writeFileSync(this.path('authorized_keys'), readFileSync(this.path('client.pub')), { mode: 0o600 });
    this.knowHost('host.pub');
    const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
    const set = { XDG_CACHE_HOME: this.cacheHome, HOME: this.home, PATH: path, ...environment };
    writeFileSync(
      this.path('server.conf'),
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${this.path('host')}`,
        `AuthorizedKeysFile ${this.path('authorized_keys')}`,
        `PidFile ${this.path('pid')}`,
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        'MaxStartups 100',
        'PrintMotd no',
        `SetEnv ${Object.entries(set)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')}`,
      ].join('\n'),
    );
    writeFileSync(
      this.clientConfig,
      [
        'Host *',
        `IdentityFile ${this.path('client')}`,
        'IdentitiesOnly yes',
        'IdentityAgent none',
        `UserKnownHostsFile ${this.path('known_hosts')}`,
        'GlobalKnownHostsFile /dev/null',
        'HostKeyAlias device',
      ].join('\n'),
    );
    // Where the package's own script would make it; the server insists on it when it is run by root.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
    this.#process = spawn(SSHD, ['-D', '-e', '-f', this.path('server.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.on('data', (text) => {
      this.#log += text;
    });
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<SshServer> {
    const server = new SshServer(await freePort(), environment);
    for (let i = 0; i < 200; i++) {
      if (await answers(server.port)) return server;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no ssh server: ${server.#log}`);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  get log(): string {
    return this.#log;
  }

  /** The address of the server, or of something in front of it. */
  device(port = this.port): string {
    return `ssh://${this.user}@127.0.0.1:${port}`;
  }

  /** The client's only known host key. */
  knowHost(publicKeyFile: string | undefined): void {
    const line = publicKeyFile === undefined ? '' : `device ${readFileSync(this.path(publicKeyFile), 'utf8')}`;
    writeFileSync(this.path('known_hosts'), line);
  }

  /** Another client configuration: lines that come before those of {@link clientConfig}. */
  configWith(name: string, lines: readonly string[]): string {
    writeFileSync(this.path(name), lines.join('\n'));
    appendFileSync(this.path(name), `\n${readFileSync(this.clientConfig, 'utf8')}`);
    return this.path(name);
  }

  get edgepackFolder(): string {
    return join(this.cacheHome, 'edgepack');
  }

  /** What the cache holds, one level deep. */
  cached(): string[] {
    return existsSync(this.edgepackFolder) ? readdirSync(this.edgepackFolder).sort() : [];
  }

  /** What runs have left: their folders, and folders that were not finished. */
  leftovers(): string[] {
    const runs = join(this.edgepackFolder, 'runs');
    return [...(existsSync(runs) ? readdirSync(runs) : []), ...this.cached().filter((name) => name.endsWith('.part'))];
  }

  /** Numbers of processes that were started through this server and are still there. */
  remoteProcesses(): { readonly id: number; readonly command: string }[] {
    const own = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
        if (!environment.split('\0').includes(`XDG_CACHE_HOME=${this.cacheHome}`)) continue;
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
        if (command !== '') own.push({ id: Number(name), command });
      } catch {
        // It has ended.
      }
    }
    return own;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    for (const { id } of this.remoteProcesses()) process.kill(id, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
    socket.once('close', (failed) => resolve(!failed));
  });
}
