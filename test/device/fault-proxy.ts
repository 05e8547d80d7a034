import { connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to a connection once this many bytes have gone through it in one direction. */
export interface LinkFault {
  readonly kind: 'cut' | 'stall' | 'corrupt' | 'slow';
  readonly direction: 'up' | 'down';
  readonly afterBytes: number;
  /** Of a slow link. */
  readonly bytesPerSecond?: number;
  /** Which connection through the proxy, from 0 on. */
  readonly connection: number;
}

const SLOW_BYTES = 1_000_000;

/** A link between client and server that breaks on request. A stalled one is never closed towards the server: the network is gone. */
export class FaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hasStruck = false;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  static async start(serverPort: number, fault: LinkFault): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new FaultProxy(server);
    let count = 0;
    server.on('connection', (client) => {
      const upstream = connect(serverPort, '127.0.0.1');
      const own = count++ === fault.connection ? fault : undefined;
      proxy.#forward(client, upstream, own?.direction === 'up' ? own : undefined, own);
      proxy.#forward(upstream, client, own?.direction === 'down' ? own : undefined, own);
    });
    return proxy;
  }

  /** Whether the fault has come to pass. */
  get hasStruck(): boolean {
    return this.#hasStruck;
  }

  #isStalled = false;

  #forward(from: Socket, to: Socket, fault: LinkFault | undefined, any: LinkFault | undefined): void {
    this.#sockets.add(from);
    let passed = 0;
    let slowBytes = 0;
    let slowSinceMs: number | undefined;
    from.on('data', (bytes: Buffer) => {
      const at = fault === undefined ? Number.POSITIVE_INFINITY : fault.afterBytes - passed;
      passed += bytes.length;
      if (any?.kind === 'stall' && this.#isStalled) return;
      if (fault === undefined || bytes.length <= at) {
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        return;
      }
      this.#hasStruck = true;
      if (fault.kind === 'cut') {
        from.destroy();
        to.destroy();
      } else if (fault.kind === 'stall') {
        this.#isStalled = true;
      } else if (fault.kind === 'corrupt') {
        if (at >= 0) bytes[at]! ^= 0x20;
        to.write(bytes);
      } else {
        to.write(bytes);
        slowSinceMs ??= performance.now();
        slowBytes += bytes.length;
        const earlyMs = slowSinceMs + (slowBytes / fault.bytesPerSecond!) * 1000 - performance.now();
        // A link that is slow for this long has shown what it does.
        if (earlyMs < 5 || slowBytes > SLOW_BYTES) return;
        from.pause();
        setTimeout(() => from.resume(), earlyMs);
      }
    });
    from.on('error', () => {});
    from.on('close', () => {
      if (!this.#isStalled) to.destroy();
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
