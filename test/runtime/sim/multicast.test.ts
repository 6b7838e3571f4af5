import { expect, test } from 'vitest';
import { type Endpoint, formatEndpoint } from '../../../src/base/endpoint.ts';
import type { Datagrams } from '../../../src/runtime/ports.ts';
import type { SimHost } from '../../../src/runtime/sim/index.ts';
import { makeWorld } from '../../sim/world.ts';
import { pattern } from '../recorder.ts';

const { signal } = new AbortController();
const FOUR: Endpoint = { host: '239.255.71.67', port: 6771 };
const SIX: Endpoint = { host: 'ff15::efc0:988f', port: 6771 };

test('multicast reaches the hosts of a network, and no others', async () => {
  const world = makeWorld();
  const here = world.host('10.0.0.1', { lans: ['home'] });
  const hosts = [
    here,
    world.host('10.0.0.2', { lans: ['home'] }),
    world.host('10.0.0.3', { lans: ['office'] }),
    world.host('10.0.0.4'),
  ];
  const heard = await Promise.all(hosts.map((host) => hear(host, FOUR)));
  const sender = await sendBy(here, 'eth0');
  sender.send(pattern(10), FOUR);
  await world.runToRest();
  const from = formatEndpoint(sender.local);
  expect(heard.map(({ senders }) => senders)).toEqual([[from], [from], [], []]);
});

test('a host in two networks hears and is heard in each by an address of its own', async () => {
  const world = makeWorld();
  const router = world.host('10.0.1.1', {
    addresses: ['10.0.2.1', 'fd00:1::1'],
    lans: ['one', 'two', 'one'],
  });
  const one = world.host('10.0.1.2', { addresses: ['fd00:1::2'], lans: ['one', 'one'] });
  const two = world.host('10.0.2.2', { lans: ['two'] });
  expect(router.runtime.lookup.interfaces().map((at) => `${at.interface} ${at.address}`)).toEqual([
    'lo 127.0.0.1',
    'lo ::1',
    'eth0 10.0.1.1',
    'eth1 10.0.2.1',
    'eth0 fd00:1::1',
  ]);
  const heard = [
    await hear(one, FOUR),
    await hear(one, SIX),
    await hear(two, FOUR),
    await hear(router, FOUR, ['eth1']),
  ];
  for (const [name, group] of [
    ['eth0', FOUR],
    ['eth1', FOUR],
    ['eth0', SIX],
  ] as const) {
    (await sendBy(router, name)).send(pattern(3), group);
  }
  (await sendBy(one, 'eth0')).send(pattern(3), FOUR);
  (await sendBy(two, 'eth0')).send(pattern(3), FOUR);
  await world.runToRest();
  const hostsOf = ({ senders }: Heard): string[] =>
    senders.map((sender) => sender.slice(0, sender.lastIndexOf(':'))).toSorted();
  expect(heard.map(hostsOf)).toEqual([
    ['10.0.1.1', '10.0.1.2'],
    ['[fd00:1::1]'],
    ['10.0.2.1', '10.0.2.2'],
    ['10.0.2.1', '10.0.2.2'],
  ]);
});

test('each host loses packets of its own, and none over a cut network', async () => {
  const world = makeWorld();
  const here = world.host('10.0.0.1', { lans: ['home'] });
  const near = world.host('10.0.0.2', { lans: ['home'] });
  const far = world.host('10.0.0.3', { lans: ['home'], loss: 0.5 });
  const gone = world.host('10.0.0.4', { lans: ['home'] });
  world.partition([gone], [here, near, far]);
  const heard = await Promise.all([near, far, gone].map((host) => hear(host, FOUR)));
  const sender = await sendBy(here, 'eth0');
  for (let count = 0; count < 200; count++) sender.send(pattern(3), FOUR);
  await world.runToRest();
  const [all = 0, some = 0, none] = heard.map(({ senders }) => senders.length);
  expect([all, none]).toEqual([200, 0]);
  expect(Math.abs(some - 100)).toBeLessThan(30);
});

test('a crash closes sockets of groups', async () => {
  const world = makeWorld();
  const here = world.host('10.0.0.1', { lans: ['home'] });
  const there = world.host('10.0.0.2', { lans: ['home'] });
  const { senders } = await hear(there, FOUR);
  const sender = await sendBy(here, 'eth0');
  there.crash();
  sender.send(pattern(3), FOUR);
  await world.runToRest();
  expect(senders).toEqual([]);
  expect(there.open).toEqual([]);
});

interface Heard {
  readonly senders: string[];
}

async function hear(host: SimHost, group: Endpoint, interfaces = ['eth0']): Promise<Heard> {
  const socket = await host.runtime.network.bindDatagrams({
    group: { address: group.host, interfaces },
    port: group.port,
    signal,
  });
  const senders: string[] = [];
  socket.receive((_, from) => senders.push(formatEndpoint(from)));
  return { senders };
}

function sendBy(host: SimHost, name: string): Promise<Datagrams> {
  return host.runtime.network.bindDatagrams({ multicast: { interface: name, hops: 1 }, signal });
}
