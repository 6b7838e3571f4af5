/** The scenes of the compliance suites with streams of uTP in place of TCP. @module */

import type { Network, Runtime } from '../../src/runtime/ports.ts';
import { UtpSocket } from '../../src/utp/index.ts';
import { PLACES, type Place } from '../runtime/place.ts';

/** `network` whose streams are of uTP; a socket for each call and each listener, until the stack ends. */
function utpNetwork(
  { network, clock, random }: Pick<Runtime, 'network' | 'clock' | 'random'>,
  stack: AsyncDisposableStack,
): Network {
  const { bindDatagrams } = network;
  return {
    bindDatagrams,
    async connect(to, { host, signal }) {
      const datagrams = stack.use(await bindDatagrams({ host: host ?? anyOf(to.host), signal }));
      return stack.use(UtpSocket.open(datagrams, { clock, random })).connect(to, { signal });
    },
    async listen(accept, options) {
      const datagrams = stack.use(await bindDatagrams(options));
      const socket = UtpSocket.open(datagrams, { clock, random, accept });
      stack.use(socket);
      return {
        local: socket.local,
        async [Symbol.asyncDispose]() {
          socket.refuse();
        },
      };
    },
  };
}

function anyOf(host: string): string {
  if (host.startsWith('127.')) return '127.0.0.1';
  return host.includes(':') ? '::' : '0.0.0.0';
}

export const UTP_PLACES: readonly Place[] = PLACES.map(({ name, run }) => ({
  name,
  run: (story) =>
    run(async (scene) => {
      await using stack = new AsyncDisposableStack();
      const over = (runtime: Runtime): Runtime => ({
        ...runtime,
        network: utpNetwork(runtime, stack),
      });
      await story({ ...scene, here: over(scene.here), there: over(scene.there) });
    }),
}));
