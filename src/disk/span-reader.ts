/** Reads runs of bytes that lie in one file or in many. @module */

import type { HandleCache } from './handle-cache.ts';
import { forEachParallel } from './inspect.ts';
import type { FileSpan } from './layout.ts';

/** Small files that are read or written at once. */
export const PARALLEL_SPANS = 4;

/**
 * Fills `into` with the bytes of `spans`; padding reads as zeros. `short` is called when a file
 * ends before its span does, with the bytes that were there.
 */
export async function readSpans(
  handles: HandleCache,
  spans: readonly FileSpan[],
  into: Uint8Array,
  options: { short(span: FileSpan, count: number): void },
): Promise<void> {
  await forEachParallel(spans.length, PARALLEL_SPANS, async (index) => {
    const span = spans[index];
    if (span === undefined) return;
    const part = into.subarray(span.start, span.start + span.length);
    if (span.padding) {
      part.fill(0);
      return;
    }
    const count = await handles.use(span.file, 'read', async (handle) =>
      handle.read(part, span.position),
    );
    if (count < span.length) options.short(span, count);
  });
}
