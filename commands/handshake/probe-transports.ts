/** Which transports a peer takes. @module */

import type { BipError } from '../../src/base/errors.ts';
import type { Attempt, ProbeReport, Way } from '../../src/probe/index.ts';
import { formatMillis } from '../cli/units.ts';

/** What became of one transport. */
export interface TransportReport {
  readonly transport: Way['transport'];
  /** From the call to the first connection, in milliseconds; absent when there was none. */
  readonly connectMs?: number;
  /** Why nobody shook hands over it; absent when somebody did. */
  readonly error?: BipError;
}

export const TRANSPORT_NAMES: Readonly<Record<Way['transport'], string>> = {
  tcp: 'TCP',
  utp: 'uTP',
};

/** Of each transport that was tried, in their order. */
export function transportsOf(attempts: readonly Attempt[]): readonly TransportReport[] {
  const transports = [...new Set(attempts.map(({ way }) => way.transport))];
  return transports.map((transport) => {
    const own = attempts.filter(({ way }) => way.transport === transport);
    const [first] = own;
    const error = own.every((attempt) => attempt.error !== undefined) ? first?.error : undefined;
    return {
      transport,
      ...(first?.connectMs === undefined ? {} : { connectMs: first.connectMs }),
      ...(error === undefined ? {} : { error }),
    };
  });
}

/** Over which the peer shook hands. */
export function takenTransports(attempts: readonly Attempt[]): readonly Way['transport'][] {
  return transportsOf(attempts).flatMap(({ transport, error }) =>
    error === undefined ? [transport] : [],
  );
}

/** `uTP: connected in 3 ms`. */
export function transportWords({ transport, connectMs, error }: TransportReport): string {
  const connected =
    connectMs === undefined ? 'no connection' : `connected in ${formatMillis(connectMs)}`;
  const failed = error === undefined ? '' : ` (${error.message})`;
  const refused = error === undefined || connectMs === undefined ? '' : ', no handshake';
  return `${TRANSPORT_NAMES[transport]}: ${connected}${refused}${failed}`;
}

/** Those of the transport by which the report came: what it tells of encryption holds for all. */
export function attemptsByEncryption({ way, attempts }: ProbeReport): readonly Attempt[] {
  return attempts.filter((attempt) => attempt.way.transport === way.transport);
}
