import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';

/** A device that is reached with OpenSSH. */
export interface DeviceAddress {
  /** A name, an address, or a `Host` of the configuration of OpenSSH. */
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

const hint =
  'Give it as ssh://user@host or ssh://user@host:port; user and port may come from the configuration of OpenSSH';

/**
 * Reads `ssh://[user@]host[:port]`. Names that OpenSSH or a shell could take for something else are refused.
 * @throws EdgepackError `usage`.
 */
export function parseDeviceAddress(text: string): DeviceAddress {
  const refuse = (reason: string, advice = hint): never => {
    throw new EdgepackError('usage', `--device ${printable(withoutPassword(text), 100)}: ${reason}`, { hint: advice });
  };
  const parts = /^ssh:\/\/(?:([^@/]*)@)?(\[[^\]/@]*\]|[^:/@[\]]*)(?::([^/]*))?\/?$/.exec(text);
  if (parts === null) return refuse('is no address of a device');
  const [, user, bracketed = '', portText] = parts;
  if (user?.includes(':')) {
    return refuse('has a password in it', 'Use a key, or an agent: passwords are never taken');
  }
  const host = bracketed.replace(/^\[|\]$/g, '');
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(bracketed) && !/^\[[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?\]$/.test(bracketed)) {
    return refuse('has no host that can be a name or an address');
  }
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*$/.test(user))
    return refuse('has no user that can be a name');
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && !(/^\d{1,5}$/.test(portText!) && port >= 1 && port <= 65_535)) {
    return refuse('has no port between 1 and 65535');
  }
  return { host, user, port };
}

/** How a device is named in records and messages: without the user. */
export function addressText({ host, port }: DeviceAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `ssh://${name}${port === undefined ? '' : `:${port}`}`;
}

function withoutPassword(text: string): string {
  return text.replace(/^(ssh:\/\/[^:@/]*):.*@/, '$1:…@');
}
