/**
 * A routing table beside what is known of each of its nodes: whatever is told to both, the table has to
 * be in order, and to think of its nodes what was told.
 *
 * @module
 */

import { equalBytes } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/dht/contact.ts';
import type { NodeState, NodeView, RoutingTable } from '../../../src/dht/routing/index.ts';
import { type Expected, expectClosest, expectOrder, liveNodes, nameOf } from './invariants.ts';
import { MINUTE, makeTable, SECOND } from './nodes.ts';

interface Known {
  answeredAt: number | undefined;
  /** When it asked something, or came into the table by being heard of. */
  queriedAt: number | undefined;
  failures: number;
}

/** A table and its nodes before something is told to it. */
interface Before {
  readonly known: boolean;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly goodOnes: readonly NodeView[];
  readonly buckets: number;
}

export class Model {
  readonly table: RoutingTable;
  readonly #expected: Expected;
  readonly #known = new Map<string, Known>();
  readonly #pinged = new Map<string, number>();
  /** What the clock says, which may be set back. */
  #now = 1_000_000_000;
  /** What has passed. */
  #elapsed = 0;
  #silence = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.table = makeTable(expected);
    this.table.buckets(this.#now);
  }

  get now(): number {
    return this.#now;
  }

  answered(node: Contact, rttMs?: number): void {
    this.#tell(node, (before) => {
      this.table.answered(node, rttMs, this.#now);
      this.#silence = 0;
      const view = this.#nodes().get(nameOf(node));
      if (view === undefined) return;
      if (before.known) Object.assign(this.#of(node), { answeredAt: this.#elapsed, failures: 0 });
      else if (view.state !== 'unproven') this.#add(node, { answeredAt: this.#elapsed });
      else {
        // Who had the endpoint was good, or questionable: the new name has to prove itself.
        const others = [...before.nodes.values()].filter((other) => isSameEndpoint(other, node));
        const [{ state } = view] = others;
        ensure(others.length === 1 && /good|quest/u.test(state), 'nobody else was there');
        this.#add(node, { queriedAt: this.#elapsed });
      }
    });
  }

  queried(node: Contact): void {
    this.#tell(node, (before) => {
      this.table.queried(node, this.#now);
      if (before.known) this.#of(node).queriedAt = this.#elapsed;
      else if (this.#nodes().has(nameOf(node))) this.#add(node, { queriedAt: this.#elapsed });
    });
  }

  heard(node: Contact): void {
    this.#tell(node, (before) => {
      this.table.heard(node, this.#now);
      if (before.known || !this.#nodes().has(nameOf(node))) return;
      this.#add(node, { queriedAt: this.#elapsed });
    });
  }

  failed(node: Contact): void {
    this.#tell(node, (before) => {
      this.table.failed(node, this.#now);
      this.#pinged.delete(nameOf(node));
      if (!before.known || this.#silence >= 16) return;
      this.#silence++;
      this.#of(node).failures++;
    });
  }

  pings(max: number): void {
    const before = this.#nodes();
    const pings = this.table.takePings(this.#now, max);
    ensure(pings.length <= max, `${pings.length} pings for ${max}`);
    for (const ping of pings) {
      const name = nameOf(ping);
      ensure(before.get(name)?.state !== 'good', `${name} is good, and is pinged`);
      const last = this.#pinged.get(name) ?? Number.NEGATIVE_INFINITY;
      ensure(this.#elapsed - last >= 15 * SECOND, `${name} is pinged twice`);
      this.#pinged.set(name, this.#elapsed);
    }
    this.#check();
  }

  pass(ms: number): void {
    this.#now += ms;
    this.#elapsed += ms;
    this.#check();
  }

  setBack(ms: number): void {
    this.#now -= ms;
    this.#check();
  }

  rebase(ownId: Uint8Array): void {
    const before = this.#nodes();
    this.table.rebase(ownId, this.#now);
    ensure(equalBytes(this.table.ownId, ownId), 'our id is another one');
    for (const name of this.#nodes().keys()) ensure(before.has(name), `${name} is new`);
    this.#check();
  }

  closest(target: Uint8Array, count: number): void {
    const { family } = this.#expected;
    const hasFailed = (node: NodeView): boolean => this.#of(node).failures > 0;
    expectClosest(this.table, { target, count, now: this.#now, family, hasFailed });
  }

  #tell(node: Contact, tell: (before: Before) => void): void {
    const nodes = this.#nodes();
    const before: Before = {
      known: nodes.has(nameOf(node)),
      nodes,
      goodOnes: liveNodes(this.table, this.#now).filter(({ state }) => state === 'good'),
      buckets: this.table.buckets(this.#now).length,
    };
    tell(before);
    this.#expectStaying(before, node);
    this.#check();
  }

  /** Good nodes stay, unless their ids are wrong, their names are others now, or a bucket was divided. */
  #expectStaying({ goodOnes, buckets }: Before, told: Contact): void {
    if (this.table.buckets(this.#now).length > buckets && this.#expected.extended) return;
    const after = new Set(liveNodes(this.table, this.#now).map((node) => nameOf(node)));
    const gone = goodOnes.filter((node) => !after.has(nameOf(node)));
    for (const node of gone) {
      const isReplaced = after.has(nameOf(told)) && !node.isVerified;
      ensure(isReplaced || isSameEndpoint(node, told), `${nameOf(node)} is gone`);
    }
  }

  #check(): void {
    expectOrder(this.table, this.#now, this.#expected);
    const nodes = this.#nodes();
    for (const name of this.#known.keys()) if (!nodes.has(name)) this.#known.delete(name);
    ensure(nodes.size === this.#known.size, 'somebody came unannounced');
    for (const [name, { state }] of nodes) {
      ensure(state === this.#stateOf(name), `${name} is ${state}, not ${this.#stateOf(name)}`);
    }
  }

  #stateOf(name: string): NodeState {
    const known = this.#known.get(name);
    if (known?.answeredAt === undefined) return 'unproven';
    if (known.failures >= 2) return 'bad';
    const latest = Math.max(known.answeredAt, known.queriedAt ?? 0);
    const isGood = known.failures === 0 && this.#elapsed - latest <= 15 * MINUTE;
    return isGood ? 'good' : 'questionable';
  }

  #nodes(): Map<string, NodeView> {
    const buckets = this.table.buckets(this.#now);
    const nodes = buckets.flatMap((bucket) => [...bucket.nodes, ...bucket.replacements]);
    return new Map(nodes.map((node) => [nameOf(node), node]));
  }

  #of(node: Contact): Known {
    const known = this.#known.get(nameOf(node));
    if (known === undefined) throw new Error(`${nameOf(node)} is not in the table`);
    return known;
  }

  #add(node: Contact, known: Partial<Known>): void {
    const nothing = { answeredAt: undefined, queriedAt: undefined, failures: 0 };
    this.#known.set(nameOf(node), { ...nothing, ...known });
  }
}

function ensure(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

function isSameEndpoint(one: Contact, other: Contact): boolean {
  return (
    one.endpoint.host === other.endpoint.host &&
    one.endpoint.port === other.endpoint.port &&
    !equalBytes(one.id, other.id)
  );
}
