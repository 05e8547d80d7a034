import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { addressText, type DeviceAddress } from './device-address.ts';

/** How a device is connected to. */
export interface SshTarget {
  readonly address: DeviceAddress;
  /** Another configuration of OpenSSH than the user's, as for `ssh -F`. */
  readonly configPath: string | undefined;
}

/** The arguments of `ssh` that run a command on the device, with nothing asked, nothing forwarded and no key accepted. */
export function sshArguments({ address, configPath }: SshTarget, command: string): string[] {
  const { host, user, port } = address;
  const options = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    ConnectTimeout: '15',
    ServerAliveInterval: '5',
    ServerAliveCountMax: '5',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    PermitLocalCommand: 'no',
    RemoteCommand: 'none',
    LogLevel: 'ERROR',
  };
  return [
    ...(configPath === undefined ? [] : ['-F', configPath]),
    '-T',
    '-e',
    'none',
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    '--',
    host,
    command,
  ];
}

/** A word as POSIX shells and fish take it for one. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A script for the device's `sh`, whatever shell the user has there. Its parameters are `$1` and so on. */
export function shellCommand(script: string, parameters: readonly string[] = []): string {
  return ['exec', 'sh', '-c', script, 'edgepack', ...parameters]
    .map((word, i) => (i < 3 ? word : shellWord(word)))
    .join(' ');
}

/** What the end of `ssh` means, by its last words. */
export function explainSshFailure({ address }: SshTarget, exitCode: number | null, words: string): EdgepackError {
  const device = printable(addressText(address), 100);
  const said = printable(words.trim().split(/\r?\n/).at(-1) ?? '', 200);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i.test(words)) {
    return new EdgepackError('device-unverified', `${device}: its host key is not the one that is known`, {
      hint: 'Somebody may be in between, or the device was set up anew: find out, then change known_hosts',
    });
  }
  if (/Host key verification failed|host key is known|REVOKED HOST KEY/i.test(words)) {
    return new EdgepackError('device-unverified', `${device}: its host key is not known here`, {
      hint: 'Connect once with ssh, compare the fingerprint that it shows, and accept it',
    });
  }
  if (/Permission denied|Too many authentication failures|sign_and_send_pubkey/i.test(words)) {
    return new EdgepackError('device-unreachable', `${device}: the device does not take our keys (${said})`, {
      hint: 'Add your public key there with ssh-copy-id; load a key with a passphrase into ssh-agent',
    });
  }
  if (exitCode === 255 || exitCode === null) {
    return new EdgepackError('device-unreachable', `${device}: ${said || 'the connection broke'}`, {
      hint: 'Check that "ssh" itself gets there with the same address',
    });
  }
  return new EdgepackError('device-failed', `${device}: the device ended with code ${exitCode}${said && `: ${said}`}`);
}
