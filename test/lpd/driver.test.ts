/** Local discovery on real loopback and in the simulated world. */

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Endpoint } from '../../src/base/endpoint.ts';
import { Lpd } from '../../src/lpd/index.ts';
import { disposalQuartet } from '../runtime/disposal.ts';
import { PLACES, type Place, type Scene } from '../runtime/place.ts';

describe.each(PLACES)('local discovery of $name', (place: Place) => {
  test('two find each other by the address and port of the other', () =>
    place.run(async (scene) => {
      const infoHash = Uint8Array.from(randomBytes(20));
      await using here = await open(scene, 'here', 7_001);
      await using there = await open(scene, 'there', 7_002);
      const found = [here, there].map(
        (lpd) => new Promise<Endpoint>((resolve) => void lpd.join(infoHash, resolve)),
      );
      expect(await Promise.all(found)).toEqual([
        { host: scene.thereHost, port: 7_002 },
        { host: scene.hereHost, port: 7_001 },
      ]);
    }));

  test('a signal cancels', () =>
    place.run(async (scene) => {
      const signal = AbortSignal.abort(new Error('stopped'));
      const opening = open({ ...scene, signal }, 'here', 1);
      await expect(opening).rejects.toThrow('stopped');
    }));

  disposalQuartet(place, 'local discovery', async (scene) => {
    const infoHash = Uint8Array.from(randomBytes(20));
    const gone = await open(scene, 'here', 7_001);
    let told = 0;
    gone.join(infoHash, () => told++);
    return {
      resource: gone,
      async expectGone() {
        await using other = await open(scene, 'there', 7_002);
        other.join(infoHash, () => undefined);
        // It announces a tenth of a second later; whoever hears it has no more to hear.
        await using witness = await open(scene, 'here', 7_003);
        await new Promise<void>((resolve) => void witness.join(infoHash, () => resolve()));
        await scene.settle();
        if (told > 0) throw new Error(`told of ${told} peers after the end`);
      },
    };
  });
});

function open(scene: Scene, where: 'here' | 'there', port: number): Promise<Lpd> {
  return Lpd.open(scene[where], {
    ...{ port, signal: scene.signal },
    address: where === 'here' ? scene.hereHost : scene.thereHost,
    onBug: (error) => {
      throw error;
    },
  });
}
