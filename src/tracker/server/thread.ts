/** The program of a further thread of a tracker. @module */

import { BipError } from '../../base/errors.ts';
import { type OpenShared, type ServingRuntime, serveTracker } from './serving.ts';
import type { TrackerThreadPort } from './threads.ts';

/** Serves until the main thread says `close`, or until it could not be begun. */
export async function serveThread(
  runtime: ServingRuntime,
  { port, openShared }: { readonly port: TrackerThreadPort; readonly openShared?: OpenShared },
): Promise<void> {
  const { signal } = new AbortController();
  const closing = Promise.withResolvers<void>();
  try {
    await using serving = await serveTracker(runtime, port.setup, {
      signal,
      onAnnounce: (note) => port.post({ type: 'announce', note }),
      ...(openShared === undefined ? {} : { openShared }),
    });
    port.receive((message) => {
      if (message.type === 'close') closing.resolve();
      else serving.replaceAccess(message.lists);
    });
    port.post({ type: 'listening' });
    await closing.promise;
  } catch (error) {
    if (!(error instanceof BipError)) throw error;
    port.post({ type: 'failed', code: error.code, message: error.message });
  }
  port.post({ type: 'closed' });
}
