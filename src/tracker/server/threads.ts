/** What the main thread of a tracker and the other ones say to each other. @module */

import type { ErrorCode } from '../../base/errors.ts';
import type { AccessLists } from './access.ts';
import type { AnnounceNote, TrackerSetup } from './setup.ts';

/** To a thread that serves. */
export type ToThread =
  | { readonly type: 'access'; readonly lists: AccessLists }
  /** Close the sockets, and say `closed`. */
  | { readonly type: 'close' };

/** From a thread that serves. */
export type FromThread =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'announce'; readonly note: AnnounceNote }
  | { readonly type: 'closed' };

/** The main thread's end. Disposing it ends the thread at once. */
export interface TrackerThread extends AsyncDisposable {
  post(message: ToThread): void;
  /** Sets the one receiver. `ended` is called when the thread ended by itself, for a bug or for lack of memory. */
  open(handler: { message(message: FromThread): void; ended(error: Error): void }): void;
}

/** The thread's own end. */
export interface TrackerThreadPort {
  readonly setup: TrackerSetup;
  post(message: FromThread): void;
  receive(listener: (message: ToThread) => void): void;
}
