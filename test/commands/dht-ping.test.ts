/** `bip dht ping` in the simulated world. */

import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/ip.ts';
import { encode } from '../../src/bencode/index.ts';
import { makeSecureId } from '../../src/dht/index.ts';
import { publicAddress, publicAddress6 } from '../dht/dht-world.ts';
import { DhtScene, printed, printedError, printedLines, US } from './dht-scene.ts';
import { type BipResult, runBipOnDisk, type SimulatedRun } from './harness.ts';

const NODE = `${publicAddress(0)}:6881`;

class Scene extends DhtScene {
  ping(argv: readonly string[], rest: Partial<SimulatedRun> = {}): Promise<BipResult> {
    return this.run(['ping', ...argv], rest);
  }
  /** A node that answers pings with these fields and nothing else. */
  async answerer(address: string, response: object, top: object = {}): Promise<void> {
    const host = this.world.host(address);
    const socket = await host.runtime.network.bindDatagrams({ port: 6881, signal: this.signal });
    socket.receive((query, from) => {
      const transaction = transactionOf(query);
      socket.send(encode({ r: { ...response }, t: transaction, y: 'r', ...top }), from);
    });
  }
}

/** `t` of our queries has four bytes. */
function transactionOf(query: Uint8Array): Uint8Array {
  const at = Buffer.from(query).indexOf('1:t4:') + 5;
  return query.slice(at, at + 4);
}

describe('one node', () => {
  test('a line in a pipe', async () => {
    await using scene = new Scene();
    await scene.populate(2);
    const { code, stdout, stderr } = await scene.ping([NODE]);
    expect([code, stderr]).toEqual([0, '']);
    const fields = stdout.trimEnd().split('\t');
    expect(fields.slice(0, 3)).toEqual([NODE, 'ok', scene.idOf(0)]);
    expect(Number(fields[3])).toBeGreaterThanOrEqual(80);
    expect(fields.slice(4, 6)).toEqual(['insecure', 'bip']);
    expect(fields[6]).toMatch(/^81\.0\.0\.1:\d+$/);
  });

  test('JSON', async () => {
    await using scene = new Scene();
    await scene.populate(1);
    const result = await scene.ping([NODE, '--json', '--port', '4000']);
    expect(result.code).toBe(0);
    expect(printed(result)).toEqual({
      address: NODE,
      nodeId: scene.idOf(0),
      rttMs: 80,
      version: 'BP\\x00\\x01',
      client: 'bip',
      secure: false,
      externalAddress: `${US}:4000`,
    });
  });

  test('on a terminal, in words', async () => {
    await using scene = new Scene();
    await scene.populate(1);
    scene.world.names.set('node.example', [publicAddress6(0), publicAddress(0)]);
    const argv = ['node.example:6881', '-4', '--port', '4000', '--color', 'never'];
    const { code, stdout } = await scene.ping(argv, { tty: true });
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'node.example:6881',
        '  answered  in 80 ms',
        `   address  ${NODE}`,
        `        id  ${scene.idOf(0)}`,
        '    BEP 42  the id does not follow from the address',
        '    client  bip (BP\\x00\\x01)',
        `sees us at  ${US}:4000`,
        '',
        '',
      ].join('\n'),
    );
  });

  test('the verdict of BEP 42, and clients by their letters', async () => {
    await using scene = new Scene();
    const ip = parseIp('90.0.0.1') ?? new Uint8Array(4);
    const id = makeSecureId(ip, scene.world.random);
    await scene.answerer('90.0.0.1', { id }, { v: Uint8Array.of(0x4c, 0x54, 2, 0x0b) });
    const terminal = await scene.ping(['90.0.0.1:6881', '--color', 'never'], { tty: true });
    expect(terminal.stdout).toContain('  BEP 42  the id follows from the address\n');
    expect(terminal.stdout).toContain('  client  libtorrent 2.0.11 (LT\\x02\\x0b)\n');
    expect(terminal.stdout).not.toContain('sees us at');
    await scene.answerer('10.0.0.9', { id: new Uint8Array(20) }, { v: 'Zz\u0007' });
    const host = scene.world.host('10.0.0.1');
    const local = await scene.ping(['10.0.0.9:6881', '--color', 'never'], { tty: true, host });
    expect(local.stdout).toContain('any id is right at an address that is not of the internet');
    expect(local.stdout).toContain('client  Zz\\x07\n');
  });

  test('nobody there: exit code 1 after the time-out, and nothing on stdout', async () => {
    await using scene = new Scene();
    const started = scene.world.now;
    const { code, stdout, stderr } = await scene.ping([NODE, '--timeout', '3s']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`error: ${NODE} did not answer within 3s\n`);
    expect(scene.world.now - started).toBeLessThan(3100);
  });

  test('a name server that is silent takes no longer than a node', async () => {
    await using scene = new Scene();
    scene.world.names.silent = true;
    const started = scene.world.now;
    const { code, stderr } = await scene.ping(['node.example:6881']);
    expect([code, stderr]).toEqual([1, 'error: node.example:6881 did not answer within 5s\n']);
    expect(scene.world.now - started).toBe(5000);
  });

  test('a node that refuses is told from one that is silent', async () => {
    await using scene = new Scene();
    const refusal = { e: [202, 'go away'], y: 'e' };
    await scene.answerer(publicAddress(0), {}, refusal);
    const result = await scene.ping([NODE, '--json']);
    expect(result.code).toBe(1);
    expect(printedError(result)).toEqual({
      code: 'BIP_REMOTE',
      message: `${NODE} answered with error 202: go away`,
    });
  });

  test('asks again when a packet was lost', async () => {
    await using scene = new Scene();
    await scene.populate(1);
    const { world, us } = scene;
    const member = scene.member(0);
    world.timeline.after(1000, world.partition([us], [member.host]));
    const again = await scene.ping([NODE, '--json', '--timeout', '4s']);
    expect(again.code).toBe(0);
    expect(printed(again)).toMatchObject({ rttMs: 80 });
    world.timeline.after(1000, world.partition([us], [member.host]));
    const once = await scene.ping([NODE, '--retries', '0']);
    expect(once.code).toBe(1);
  });
});

describe('several nodes', () => {
  test('a line each, in their order; exit code 1 when one failed', async () => {
    await using scene = new Scene();
    await scene.populate(3);
    const nodes = [2, 9, 0].map((at) => `${publicAddress(at)}:6881`);
    const result = await scene.ping([...nodes, '--json']);
    expect([result.code, result.stderr]).toEqual([1, '']);
    expect(printedLines(result)).toMatchObject([
      { address: nodes[0], nodeId: scene.idOf(2) },
      { address: nodes[1], error: { code: 'BIP_TIMEOUT' } },
      { address: nodes[2], nodeId: scene.idOf(0) },
    ]);
  });

  test('named on stdin, with comments, each once', async () => {
    await using scene = new Scene();
    await scene.populate(2);
    const other = `${publicAddress(1)}:6881`;
    const stdin = `# ours\n${other}\tok\n\n${NODE} # first\n${other}\n`;
    const { code, stdout } = await scene.ping(['-', '--concurrency', '1'], { stdin });
    expect(code).toBe(0);
    expect(stdout.match(/^[^\t]+/gm)).toEqual([other, NODE]);
  });

  test('of both families, however IPv6 is written', async () => {
    await using scene = new Scene();
    const both = await scene.open(publicAddress(0), {}, [publicAddress6(0)]);
    const argv = [NODE, `[${publicAddress6(0)}]:6881`];
    const host = scene.world.host('81.0.0.2', { addresses: ['2001:db8:ffff::1'] });
    const { code, stdout } = await scene.ping(argv, { host });
    expect(code).toBe(0);
    expect(stdout.match(/^[^\t]+/gm)).toEqual([NODE, '[2001:db8::1]:6881']);
    const only = await scene.ping([...argv, '-6'], { host });
    expect(only.code).toBe(1);
    expect(only.stdout.match(/\t(ok|error)\t/g)).toEqual(['\terror\t', '\tok\t']);
    expect(only.stdout).toContain('BIP_DNS');
    await both.node[Symbol.asyncDispose]();
  });
});

describe('what makes no sense is refused, exit code 2', () => {
  test.each([
    [['nonsense'], '`nonsense` is no HOST:PORT'],
    [['::1:6881'], 'write IPv6 like [2001:db8::1]:6881'],
    [['-'], 'standard input names no HOST:PORT'],
    [[NODE, '--timeout', '0'], '--timeout: `0` leaves no time for an answer'],
    [[NODE, '--bind', 'wlan9'], '--bind: `wlan9` is no IP address'],
    [[NODE, '--bind', '::1', '-4'], '--bind ::1: the address is of the family that was excluded'],
    [[NODE, '-4', '-6'], 'cannot be used with'],
  ])('%j', async (argv, message) => {
    await using scene = new Scene();
    const { code, stdout, stderr } = await scene.ping(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

test('on real sockets', async () => {
  const { code, stderr } = await runBipOnDisk({
    argv: () => ['dht', 'ping', '127.0.0.1:1', '--timeout', '50ms'],
  });
  expect([code, stderr]).toEqual([1, 'error: 127.0.0.1:1 did not answer within 0.1s\n']);
});
