/**
 * A routing table beside what is known of each of its nodes: whatever is told to both, the table has to
 * be in order, and to think of its nodes what was told.
 *
 * @module
 */

import { equalBytes } from '../../../src/base/bytes.ts';
import type { Contact } from '../../../src/dht/contact.ts';
import type { NodeState, NodeView, RoutingTable } from '../../../src/dht/routing/index.ts';
import { type Expected, expectClosest, expectOrder, nameOf } from './invariants.ts';
import { MINUTE, makeTable, SECOND } from './nodes.ts';

interface Known {
  answeredAt: number | undefined;
  /** When it asked something, or came into the table by being heard of. */
  queriedAt: number | undefined;
  failures: number;
  /** When it was pinged, or failed. */
  triedAt: number | undefined;
}

/** All nodes of a table by their names, and which of them have places. */
interface Snapshot {
  readonly buckets: number;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly live: ReadonlySet<string>;
}

export class Model {
  readonly table: RoutingTable;
  readonly #expected: Expected;
  readonly #known = new Map<string, Known>();
  /** What the clock says, which may be set back. */
  #now = 1_000_000_000;
  /** What has passed. */
  #elapsed = 0;
  #silence = 0;
  #last: Snapshot;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.table = makeTable(expected);
    this.#last = this.#check();
  }

  answered(node: Contact, rttMs?: number): void {
    this.#tell(node, (before) => {
      this.table.answered(node, rttMs, this.#now);
      this.#silence = 0;
      return (view) => {
        const known = this.#known.get(nameOf(node));
        if (known !== undefined) Object.assign(known, { answeredAt: this.#elapsed, failures: 0 });
        else if (view.state !== 'unproven') this.#add(node, { answeredAt: this.#elapsed });
        else {
          // Who had the endpoint was good, or questionable: the new name has to prove itself.
          const others = [...before.nodes.values()].filter((other) => isSameEndpoint(other, node));
          const [{ state } = view] = others;
          ensure(others.length === 1 && /good|quest/u.test(state), 'nobody else was there');
          this.#add(node, { queriedAt: this.#elapsed });
        }
      };
    });
  }

  queried(node: Contact): void {
    this.#tell(node, () => {
      this.table.queried(node, this.#now);
      return () => this.#add(node, { queriedAt: this.#elapsed });
    });
  }

  heard(node: Contact): void {
    this.#tell(node, ({ nodes }) => {
      this.table.heard(node, this.#now);
      if (!nodes.has(nameOf(node))) return () => this.#add(node, { queriedAt: this.#elapsed });
      return undefined;
    });
  }

  failed(node: Contact): void {
    this.#tell(node, () => {
      this.table.failed(node, this.#now);
      const known = this.#known.get(nameOf(node));
      if (known === undefined) return undefined;
      known.triedAt = this.#elapsed;
      if (this.#silence < 16) known.failures++;
      this.#silence = Math.min(this.#silence + 1, 16);
      return undefined;
    });
  }

  /** Whom the table wants to be pinged. */
  pings(max: number): readonly Contact[] {
    const { nodes } = this.#last;
    const pings = this.table.takePings(this.#now, max);
    ensure(pings.length <= max, `${pings.length} pings for ${max}`);
    for (const ping of pings) {
      const name = nameOf(ping);
      const known = this.#of(name);
      ensure(nodes.get(name)?.state !== 'good', `${name} is good, and is pinged`);
      const pause = this.#elapsed - (known.triedAt ?? Number.NEGATIVE_INFINITY);
      ensure(pause >= 15 * SECOND, `${name} is pinged again after ${pause} ms`);
      known.triedAt = this.#elapsed;
    }
    this.#last = this.#check();
    return pings;
  }

  pass(ms: number): void {
    this.#now += ms;
    this.#elapsed += ms;
    this.#last = this.#check();
  }

  setBack(ms: number): void {
    this.#now -= ms;
    this.#last = this.#check();
  }

  rebase(ownId: Uint8Array): void {
    this.table.rebase(ownId, this.#now);
    ensure(equalBytes(this.table.ownId, ownId), 'our id is another one');
    this.#last = this.#check();
  }

  closest(target: Uint8Array, count: number): void {
    const { family } = this.#expected;
    const hasFailed = (node: NodeView): boolean => this.#of(nameOf(node)).failures > 0;
    expectClosest(this.table, { target, count, now: this.#now, family, hasFailed });
  }

  /** `tell` gives what is known from then on, if the node is in the table then. */
  #tell(node: Contact, tell: (before: Snapshot) => ((view: NodeView) => void) | undefined): void {
    const before = this.#last;
    const learn = tell(before);
    this.#last = this.#check((nodes) => {
      const view = nodes.get(nameOf(node));
      if (view !== undefined) learn?.(view);
    });
    this.#expectStaying(before, node);
  }

  /** Good nodes stay, unless their ids are wrong, their names are others now, or a bucket was divided. */
  #expectStaying({ nodes, live, buckets }: Snapshot, told: Contact): void {
    const after = this.#last;
    if (after.buckets > buckets && this.#expected.extended) return;
    for (const name of live) {
      const node = nodes.get(name);
      if (node?.state !== 'good' || after.live.has(name)) continue;
      const isReplaced = after.live.has(nameOf(told)) && !node.isVerified;
      ensure(isReplaced || isSameEndpoint(node, told), `${name} is gone`);
    }
  }

  /** Fails unless the table is in order, and knows what is known here. */
  #check(learn?: (nodes: ReadonlyMap<string, NodeView>) => void): Snapshot {
    const buckets = this.table.buckets(this.#now);
    expectOrder(this.table, buckets, this.#expected);
    const live = buckets.flatMap((bucket) => bucket.nodes);
    const spare = buckets.flatMap((bucket) => bucket.replacements);
    const nodes = new Map([...live, ...spare].map((node) => [nameOf(node), node]));
    learn?.(nodes);
    for (const name of this.#known.keys()) if (!nodes.has(name)) this.#known.delete(name);
    for (const [name, { state }] of nodes) {
      ensure(state === this.#stateOf(name), `${name} is ${state}, not ${this.#stateOf(name)}`);
    }
    return { buckets: buckets.length, nodes, live: new Set(live.map((node) => nameOf(node))) };
  }

  #stateOf(name: string): NodeState {
    const { answeredAt, queriedAt, failures } = this.#of(name);
    if (answeredAt === undefined) return 'unproven';
    if (failures >= 2) return 'bad';
    const latest = Math.max(answeredAt, queriedAt ?? 0);
    return failures === 0 && this.#elapsed - latest <= 15 * MINUTE ? 'good' : 'questionable';
  }

  #of(name: string): Known {
    const known = this.#known.get(name);
    if (known === undefined) throw new Error(`${name} came unannounced`);
    return known;
  }

  /** Adds to what is known of a node, of which nothing was known perhaps. */
  #add(node: Contact, known: Partial<Known>): void {
    const nothing = {
      answeredAt: undefined,
      queriedAt: undefined,
      failures: 0,
      triedAt: undefined,
    };
    const before = this.#known.get(nameOf(node)) ?? nothing;
    this.#known.set(nameOf(node), { ...before, ...known });
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
