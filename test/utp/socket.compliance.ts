/** What a socket of uTP, and a share of a UDP socket, must do at their end. @module */

import { expect } from 'vitest';
import type { ByteStream } from '../../src/runtime/ports.ts';
import { SharedDatagrams } from '../../src/runtime/shared-datagrams.ts';
import { UtpSocket } from '../../src/utp/index.ts';
import { disposalQuartet } from '../runtime/disposal.ts';
import type { Place, Scene } from '../runtime/place.ts';
import { record } from '../runtime/recorder.ts';

async function open({ there, here, thereHost, hereHost, signal }: Scene): Promise<{
  readonly server: UtpSocket;
  readonly client: UtpSocket;
  readonly accepted: Promise<ByteStream>;
  readonly rest: AsyncDisposable;
}> {
  const stack = new AsyncDisposableStack();
  const { clock, random } = there;
  const accepted = Promise.withResolvers<ByteStream>();
  const bound = stack.use(await there.network.bindDatagrams({ host: thereHost, signal }));
  const calling = stack.use(await here.network.bindDatagrams({ host: hereHost, signal }));
  const server = UtpSocket.open(bound, { clock, random, accept: accepted.resolve });
  const client = stack.use(UtpSocket.open(calling, { clock: here.clock, random: here.random }));
  return { server, client, accepted: accepted.promise, rest: stack };
}

export function socketCompliance(place: Place): void {
  disposalQuartet(place, 'uTP of a socket', async (scene) => {
    const { server, client, accepted, rest } = await open(scene);
    const { signal } = scene;
    const stream = await client.connect(server.local, { signal });
    record(await accepted);
    const seen = record(stream);
    return {
      resource: server,
      async expectGone() {
        await seen.until(() => seen.ends.length > 0);
        expect(server.connections).toBe(0);
        const attempt = server.connect(client.local, { signal });
        await expect(attempt).rejects.toMatchObject({ name: 'NetworkError' });
        await rest[Symbol.asyncDispose]();
      },
    };
  });

  disposalQuartet(place, 'a share of a UDP socket', async ({ here, hereHost, signal }) => {
    const shared = new SharedDatagrams(here.network, [{ name: 'all', owns: () => true }]);
    const resource = await shared.for('all').bindDatagrams({ host: hereHost, signal });
    return {
      resource,
      async expectGone() {
        const { port } = resource.local;
        await using again = await here.network.bindDatagrams({ host: hereHost, port, signal });
        expect(again.local.port).toBe(port);
      },
    };
  });
}
